#include "store/flatten.h"

#include <algorithm>

#include "base/log.h"
#include "os/file.h"
#include "store/layer_file.h"

namespace pileus::store {
namespace {

// Layers [first, end) of a chain become one.
struct Range {
  std::size_t first = 0;
  std::size_t end = 0;
};

Range mergeable(const Chain& chain) {
  const std::size_t first = !chain.layers.empty() && chain.layers.front().raw ? 1 : 0;
  const std::size_t end = chain.marks.empty() ? chain.layers.size() : chain.marks.back().layers;
  return {first, std::max(first, end)};
}

// Writes what the layers of the range hold into the new overlay `path`. A cluster that none of them holds stays below.
Result<> merge(const DiskFolder& folder, const Chain& chain, Range range, const std::string& path) {
  const std::span<const Layer> layers(chain.layers);
  std::vector<LayerFile> files;
  for (const Layer& layer : layers.subspan(range.first, range.end - range.first)) {
    files.push_back(TRY(LayerFile::open(folder.file(layer.file), layer.raw)));
  }
  const std::shared_ptr<virtio::BlockBackend> base = TRY(folder.open_layers(layers.first(range.first)));
  const std::shared_ptr<virtio::BlockBackend> whole = TRY(folder.open_layers(layers.first(range.end)));
  TRY(virtio::Overlay::create(path, base->size(), whole->size()));
  const std::unique_ptr<virtio::Overlay> merged = TRY(virtio::Overlay::open(path, base));
  std::vector<u8> bytes(kCluster);
  for (u64 i = 0; i * kCluster < whole->size(); ++i) {
    const auto holds = [i](const LayerFile& file) { return i < file.cluster_count() && file.holds(i); };
    if (std::ranges::none_of(files, holds)) continue;
    const std::span<u8> piece = std::span(bytes).first(std::min(kCluster, whole->size() - i * kCluster));
    TRY(whole->read(i * kCluster, piece));
    TRY(is_zero(piece) ? merged->write_zeroes(i * kCluster, piece.size()) : merged->write(i * kCluster, piece));
  }
  return merged->flush();
}

}  // namespace

Result<> flatten(const DiskFolder& folder) {
  const std::unique_ptr<Disk> disk = TRY(folder.open());  // nobody else changes it now
  const Chain& old = disk->chain();
  const Range range = mergeable(old);
  if (range.end - range.first < 2) return {};
  Chain merged = old;
  const std::string name = next_overlay_name(old);
  TRY(os::remove_all(folder.file(name)));  // of a merge that was killed
  TRY(merge(folder, old, range, folder.file(name)));
  const auto begin = merged.layers.begin();
  merged.layers.erase(begin + static_cast<std::ptrdiff_t>(range.first), begin + static_cast<std::ptrdiff_t>(range.end));
  merged.layers.insert(merged.layers.begin() + static_cast<std::ptrdiff_t>(range.first), {.file = name, .raw = false});
  if (!merged.marks.empty()) merged.marks = {{old.marks.back().name, range.first + 1}};
  TRY(folder.save(merged));
  for (std::size_t i = range.first; i < range.end; ++i) {
    if (old.layers[i].file.starts_with('/')) continue;  // another's
    const Result<> removed = os::remove_all(folder.file(old.layers[i].file));
    if (!removed) log::warn("{}", removed.error().message());
  }
  log::info("merged {} layers of disk {}", range.end - range.first, folder.path().string());
  return {};
}

Result<> flatten_if_many(const DiskFolder& folder) {
  if (TRY(folder.chain()).layers.size() <= kManyLayers) return {};
  return flatten(folder);
}

}  // namespace pileus::store
