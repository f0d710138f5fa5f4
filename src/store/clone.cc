#include "store/clone.h"

#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"

namespace pileus::store {
namespace {

// Under a name of its own in `folder`, by which it is known from then on; by its path where it lies on another file
// system.
Result<> adopt(Layer& layer, std::size_t number, const std::filesystem::path& folder) {
  const std::string name = "layer." + std::to_string(number) + (layer.raw ? ".raw" : ".overlay");
  if (::link(layer.file.c_str(), (folder / name).c_str()) == 0) {
    layer.file = name;
    return {};
  }
  if (errno == EXDEV || errno == EPERM || errno == EMLINK) return {};
  return Error::from_errno("link " + layer.file);
}

}  // namespace

Result<> make_disk(std::vector<Layer> layers, const std::filesystem::path& to, u64 bytes) {
  if (std::filesystem::exists(to)) return Error(ErrorCode::kExists, to.string() + " exists already");
  TRY(os::make_directories(to.parent_path()));
  os::TemporaryDirectory draft = TRY(os::TemporaryDirectory::create(to.parent_path() / ".new-"));
  for (std::size_t i = 0; i < layers.size(); ++i) TRY(adopt(layers[i], i, draft.path()));
  TRY(DiskFolder::fill(draft.path(), std::move(layers), bytes));
  TRY(os::rename(draft.path(), to));
  draft.keep();
  return os::sync_directory(to.parent_path());
}

Result<> clone(const DiskFolder& from, std::size_t count, const std::filesystem::path& to, u64 bytes) {
  Chain chain = TRY(from.chain());
  if (count > chain.layers.size()) return Error(ErrorCode::kInvalid, "the disk has fewer layers");
  chain.layers.resize(count);
  for (Layer& layer : chain.layers) layer.file = from.file(layer.file);
  return make_disk(std::move(chain.layers), to, bytes);
}

}  // namespace pileus::store
