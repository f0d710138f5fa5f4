#include "store/disk_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "os/directory.h"
#include "os/file.h"
#include "virtio/empty_disk.h"
#include "virtio/raw_file.h"

namespace pileus::store {
namespace {

constexpr const char* kChainFile = "chain.json";
constexpr u64 kMaxChainFile = kMiB;
constexpr std::string_view kTopPrefix = "disk.";
constexpr std::string_view kTopSuffix = ".overlay";

// The N of "disk.N.overlay"; 0 for every other name.
u64 number_of(std::string_view name) {
  if (!name.starts_with(kTopPrefix) || !name.ends_with(kTopSuffix)) return 0;
  name.remove_prefix(kTopPrefix.size());
  if (name.size() <= kTopSuffix.size()) return 0;
  name.remove_suffix(kTopSuffix.size());
  u64 number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

}  // namespace

std::string next_overlay_name(const Chain& chain) {
  u64 highest = number_of(chain.top);
  for (const Layer& layer : chain.layers) highest = std::max(highest, number_of(layer.file));
  return std::string(kTopPrefix) + std::to_string(highest + 1) + std::string(kTopSuffix);
}

std::string DiskFolder::file(const std::string& name) const {
  return name.starts_with('/') ? name : (path_ / name).string();
}

Result<Chain> DiskFolder::chain() const {
  const std::filesystem::path record = path_ / kChainFile;
  if (implied_ && !std::filesystem::exists(record)) return *implied_;
  const std::string text = TRY(os::read_file(record, kMaxChainFile));
  return parse_chain(text).with(path_.string());
}

Result<> DiskFolder::replace_record(const Chain& chain) const {
  return os::replace_file(path_ / kChainFile, encode_chain(chain), 0600);
}

Result<> DiskFolder::save(const Chain& chain) const {
  TRY(replace_record(chain));
  return os::sync_directory(path_);
}

Result<u64> DiskFolder::size() const {
  const Chain chain = TRY(this->chain());
  return TRY(virtio::Overlay::sizes_of(file(chain.top))).disk;
}

u64 DiskFolder::allocated_bytes() const {
  constexpr u64 kStatBlock = 512;
  u64 bytes = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    struct stat status = {};
    if (entry.path().extension() != kTopSuffix && entry.path().extension() != ".raw") continue;
    if (::lstat(entry.path().c_str(), &status) == 0) bytes += static_cast<u64>(status.st_blocks) * kStatBlock;
  }
  return bytes;
}

Result<u64> DiskFolder::size_of_layers(const DiskFolder& folder, std::size_t count) {
  if (count == 0) return u64{0};
  const Chain chain = TRY(folder.chain());
  if (count > chain.layers.size()) return Error(ErrorCode::kInvalid, "the disk has fewer layers");
  const Layer& last = chain.layers[count - 1];
  if (!last.raw) return TRY(virtio::Overlay::sizes_of(folder.file(last.file))).disk;
  return TRY(virtio::RawFile::open(folder.file(last.file), virtio::Access::kReadOnly))->size();
}

Result<> DiskFolder::fill(const std::filesystem::path& path, std::vector<Layer> layers, u64 bytes) {
  const DiskFolder folder(path);
  Chain chain{.layers = std::move(layers), .top = "", .marks = {}};
  chain.top = next_overlay_name(chain);
  const std::shared_ptr<virtio::BlockBackend> base = TRY(folder.open_layers(chain.layers));
  TRY(virtio::Overlay::create(folder.file(chain.top), base->size(), bytes));
  return folder.save(chain);
}

Result<std::shared_ptr<virtio::BlockBackend>> DiskFolder::open_layers(std::span<const Layer> layers) const {
  std::shared_ptr<virtio::BlockBackend> disk = std::make_shared<virtio::EmptyDisk>();
  for (const Layer& layer : layers) {
    if (layer.raw) {
      disk = TRY(virtio::RawFile::open(file(layer.file), virtio::Access::kReadOnly));
    } else {
      disk = TRY(virtio::Overlay::open(file(layer.file), std::move(disk), virtio::Access::kReadOnly));
    }
  }
  return disk;
}

Result<std::unique_ptr<Disk>> DiskFolder::open() const {
  // Whoever runs the disk may have made a snapshot between the reading of the record and the lock on the top.
  for (;;) {
    Chain chain = TRY(this->chain());
    std::shared_ptr<virtio::BlockBackend> base = TRY(open_layers(chain.layers));
    std::unique_ptr<virtio::Overlay> top = TRY(virtio::Overlay::open(file(chain.top), std::move(base)));
    if (TRY(this->chain()) == chain) return std::make_unique<Disk>(*this, std::move(chain), std::move(top));
  }
}

// The one place where the chain changes: a new, empty top over the one that was.
Result<> Disk::push_top(Chain next, u64 bytes) {
  if (chain_.layers.size() >= kMaxLayers) {
    return Error(ErrorCode::kExhausted, "disk " + folder_.path().string() + " has " + std::to_string(kMaxLayers) +
                                            " layers: stop its VM, and they are merged at the next start");
  }
  next.layers.push_back({.file = chain_.top, .raw = false});
  next.top = next_overlay_name(chain_);
  const std::string path = folder_.file(next.top);
  TRY(os::remove_all(path));  // of a snapshot that was killed
  TRY(top_->flush());
  TRY(virtio::Overlay::create(path, top_->size(), bytes));
  std::shared_ptr<virtio::Overlay> top = TRY(virtio::Overlay::open(path, top_));
  TRY(folder_.replace_record(next));
  // It is done. What was flushed above is frozen now.
  const Result<> frozen = top_->freeze();
  if (!frozen) log::warn("{}", frozen.error().message());
  top_ = std::move(top);
  chain_ = std::move(next);
  // Before anything is acknowledged that lies in the new top.
  return os::sync_directory(folder_.path());
}

Result<Mark> Disk::snapshot(const std::string& name) {
  if (const Mark* const made = chain_.find_mark(name)) return *made;
  Chain next = chain_;
  if (next.marks.size() >= kMaxMarks) next.marks.erase(next.marks.begin());
  next.marks.push_back({name, chain_.layers.size() + 1});
  TRY(push_top(std::move(next), top_->size()));
  return chain_.marks.back();
}

Result<> Disk::grow(u64 bytes) {
  if (bytes == size()) return {};
  if (bytes < size()) {
    return Error(ErrorCode::kInvalid,
                 "a disk of " + std::to_string(size()) + " bytes cannot become smaller, " + std::to_string(bytes));
  }
  return push_top(chain_, bytes);
}

}  // namespace pileus::store
