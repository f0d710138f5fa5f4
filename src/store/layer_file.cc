#include "store/layer_file.h"

#include <algorithm>
#include <cstring>

#include "virtio/empty_disk.h"
#include "virtio/overlay.h"
#include "virtio/raw_file.h"

namespace pileus::store {

static_assert(kCluster == virtio::Overlay::kClusterSize);

bool is_zero(std::span<const u8> bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<LayerFile> LayerFile::open(const std::string& path, bool raw) {
  LayerFile file;
  if (raw) {
    file.disk_ = TRY(virtio::RawFile::open(path, virtio::Access::kReadOnly));
    return file;
  }
  file.base_size_ = TRY(virtio::Overlay::sizes_of(path)).base;
  std::unique_ptr<virtio::Overlay> overlay =
      TRY(virtio::Overlay::open(path, std::make_shared<virtio::EmptyDisk>(file.base_size_), virtio::Access::kReadOnly));
  file.holds_ = [self = overlay.get()](u64 cluster) { return self->changed(cluster); };
  file.disk_ = std::move(overlay);
  return file;
}

bool LayerFile::holds(u64 cluster) const { return !holds_ || holds_(cluster); }

Result<> LayerFile::read(u64 cluster, std::span<u8> out) {
  const u64 present = std::min(kCluster, disk_size() - cluster * kCluster);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(present), out.end(), u8{0});
  return disk_->read(cluster * kCluster, out.first(present));
}

}  // namespace pileus::store
