#include "store/layer_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"

namespace pileus::store {
namespace {

constexpr const char* kManifest = ".manifest";
constexpr const char* kPart = ".part";
constexpr const char* kWant = ".want";
constexpr u64 kMaxManifest = 512 * kMiB;

Error none(const std::string& id) { return {ErrorCode::kNotFound, "this host has no layer " + id}; }

}  // namespace

Result<LayerFolder> LayerFolder::open(std::filesystem::path path) {
  TRY(os::make_directories(path));
  return LayerFolder(std::move(path));
}

bool LayerFolder::has(const std::string& id) const {
  return is_layer_id(id) && std::filesystem::exists(file(id, kManifest));
}

std::set<std::string> LayerFolder::ids() const {
  std::set<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    const std::string id = entry.path().stem().string();
    if (entry.path().extension() == kManifest && is_layer_id(id)) found.insert(id);
  }
  return found;
}

Result<Layer> LayerFolder::layer(const std::string& id) const {
  if (!has(id)) return none(id);
  for (const bool raw : {true, false}) {
    const std::filesystem::path path = file(id, suffix_of(raw));
    if (std::filesystem::exists(path)) return Layer{path.string(), raw};
  }
  return none(id);
}

Result<std::string> LayerFolder::encoded_manifest(const std::string& id) const {
  if (!has(id)) return none(id);
  return os::read_file(file(id, kManifest), kMaxManifest);
}

Result<Manifest> LayerFolder::manifest(const std::string& id) const {
  const std::string bytes = TRY(encoded_manifest(id));
  return parse_manifest(bytes).with("layer " + id);
}

std::optional<std::string> LayerFolder::id_of_file(const std::filesystem::path& path) const {
  struct stat wanted = {};
  if (::stat(path.c_str(), &wanted) != 0) return std::nullopt;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    struct stat status = {};
    std::string id = entry.path().stem().string();
    if (::stat(entry.path().c_str(), &status) != 0 || status.st_ino != wanted.st_ino ||
        status.st_dev != wanted.st_dev) {
      continue;
    }
    if (has(id)) return id;
  }
  return std::nullopt;
}

std::filesystem::file_time_type LayerFolder::since(const std::string& id) const {
  std::error_code ignored;
  return std::filesystem::last_write_time(file(id, kManifest), ignored);
}

Result<std::string> LayerFolder::adopt(const std::filesystem::path& source, bool raw, const Progress& progress) {
  if (std::optional<std::string> known = id_of_file(source)) return *std::move(known);
  const std::string encoded = encode_manifest(TRY(scan_layer(source.string(), raw, progress)));
  const std::string id = id_of(encoded);
  if (has(id)) {
    std::error_code gone;
    std::filesystem::last_write_time(file(id, kManifest), std::filesystem::file_time_type::clock::now(), gone);
    if (!gone) return id;
  }
  const std::filesystem::path target = file(id, suffix_of(raw));
  TRY(os::remove_all(target));  // of one that was killed here
  if (::link(source.c_str(), target.c_str()) != 0) return Error::from_errno("link " + source.string() + " as a layer");
  TRY(os::sync_directory(path_));
  TRY(os::replace_file(file(id, kManifest), encoded, 0600));
  TRY(os::sync_directory(path_));
  return id;
}

std::optional<std::string> LayerFolder::wanted_manifest(const std::string& id) const {
  Result<std::string> bytes = os::read_file(file(id, kWant), kMaxManifest);
  if (!bytes || id_of(*bytes) != id) return std::nullopt;
  return std::move(bytes).value();
}

Result<LayerDraft> LayerFolder::receive(const std::string& id, const std::string& encoded_manifest) const {
  if (!is_layer_id(id) || id_of(encoded_manifest) != id) {
    return Error(ErrorCode::kCorrupt, "what was received is not the manifest of layer " + id);
  }
  Manifest manifest = TRY(parse_manifest(encoded_manifest));
  TRY(os::replace_file(file(id, kWant), encoded_manifest, 0600));
  return LayerDraft::open(file(id, kPart), std::move(manifest));
}

Result<> LayerFolder::accept(const std::string& id) const {
  const std::string encoded = TRY(os::read_file(file(id, kWant), kMaxManifest));
  const Manifest manifest = TRY(parse_manifest(encoded));
  TRY(os::rename(file(id, kPart), file(id, suffix_of(manifest.raw))));
  TRY(os::sync_directory(path_));
  TRY(os::rename(file(id, kWant), file(id, kManifest)));
  return os::sync_directory(path_);
}

// The manifest first: what has none is no layer.
Result<> LayerFolder::remove(const std::string& id) const {
  if (!is_layer_id(id)) return Error(ErrorCode::kInvalid, "'" + id + "' is no layer");
  for (const char* const suffix : {kManifest, kWant, kPart, suffix_of(true), suffix_of(false)}) {
    TRY(os::remove_all(file(id, suffix)));
  }
  return {};
}

}  // namespace pileus::store
