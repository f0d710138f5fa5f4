#include "store/layer_draft.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "os/file.h"
#include "virtio/empty_disk.h"
#include "virtio/overlay.h"
#include "virtio/raw_file.h"

namespace pileus::store {
namespace {

Result<> create_file(const std::filesystem::path& path, const Manifest& manifest) {
  if (!manifest.raw) return virtio::Overlay::create(path.string(), manifest.base_size, manifest.disk_size);
  const os::Fd fd = TRY(os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  if (::ftruncate(fd.get(), static_cast<off_t>(manifest.disk_size)) != 0) {
    return Error::from_errno("make " + path.string());
  }
  return {};
}

Result<std::unique_ptr<virtio::BlockBackend>> open_file(const std::filesystem::path& path, const Manifest& manifest) {
  std::unique_ptr<virtio::BlockBackend> disk;
  if (manifest.raw) {
    disk = TRY(virtio::RawFile::open(path.string(), virtio::Access::kReadWrite));
  } else {
    disk = TRY(virtio::Overlay::open(path.string(), std::make_shared<virtio::EmptyDisk>(manifest.base_size)));
  }
  if (disk->size() != manifest.disk_size)
    return Error(ErrorCode::kCorrupt, path.string() + " is another layer's draft");
  return disk;
}

}  // namespace

Result<LayerDraft> LayerDraft::open(const std::filesystem::path& path, Manifest manifest) {
  if (!std::filesystem::exists(path)) TRY(create_file(path, manifest));
  Result<std::unique_ptr<virtio::BlockBackend>> disk = open_file(path, manifest);
  if (!disk && disk.error().code() == ErrorCode::kCorrupt) {  // cut short, or something else altogether
    TRY(os::remove_all(path));
    TRY(create_file(path, manifest));
    disk = open_file(path, manifest);
  }
  LayerDraft draft(std::move(manifest), TRY(std::move(disk)));
  TRY(draft.find_received());
  return draft;
}

LayerDraft::LayerDraft(Manifest manifest, std::unique_ptr<virtio::BlockBackend> disk)
    : manifest_(std::move(manifest)), disk_(std::move(disk)) {
  for (u64 i = 0; i < manifest_.clusters.size(); ++i) {
    if (manifest_.clusters[i] == ClusterState::kData) places_.push_back(i);
  }
}

Result<> LayerDraft::find_received() {
  std::vector<u8> bytes(kCluster);
  for (; received_ < places_.size(); ++received_) {
    const u64 at = places_[received_] * kCluster;
    const u64 present = std::min(kCluster, disk_->size() - at);
    std::fill(bytes.begin(), bytes.end(), u8{0});
    TRY(disk_->read(at, std::span(bytes).first(present)));
    if (hash_of(bytes) != manifest_.hashes[received_]) break;
  }
  return {};
}

Result<> LayerDraft::write(u64 cluster, std::span<const u8> bytes) {
  const u64 at = cluster * kCluster;
  return disk_->write(at, bytes.first(std::min<u64>(bytes.size(), disk_->size() - at)));
}

Result<> LayerDraft::add(std::span<const u8> cluster) {
  if (received_ >= places_.size()) return Error(ErrorCode::kInvalid, "the layer is complete");
  if (cluster.size() != kCluster || hash_of(cluster) != manifest_.hashes[received_]) {
    return Error(ErrorCode::kCorrupt, "what was received is not the layer's cluster " + std::to_string(received_));
  }
  TRY(write(places_[received_], cluster));
  // So much at most is received again after a crash.
  constexpr u64 kFlushEvery = 64 * kMiB / kCluster;
  if (++received_ % kFlushEvery == 0) TRY(disk_->flush());
  return {};
}

// Clusters that are zero over others below have to be said to be so; in a new raw file they are holes.
Result<> LayerDraft::finish() {
  if (received_ != places_.size()) return Error(ErrorCode::kInvalid, "the layer is not complete");
  for (u64 i = 0; !manifest_.raw && i < manifest_.clusters.size(); ++i) {
    if (manifest_.clusters[i] != ClusterState::kZero) continue;
    const u64 at = i * kCluster;
    TRY(disk_->write_zeroes(at, std::min(kCluster, disk_->size() - at)));
  }
  return disk_->flush();
}

}  // namespace pileus::store
