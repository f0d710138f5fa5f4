#include "host/disk_places.h"

#include "os/file.h"

namespace pileus::host {
namespace {

constexpr std::string_view kPrefix = "vol";

bool is_plain_name(const std::string& name) {
  constexpr std::size_t kLongest = 255;
  const bool dots = name == "." || name == "..";
  return !name.empty() && name.size() <= kLongest && !dots && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

Error bad_file(const std::string& bucket, const std::string& key) {
  return {ErrorCode::kInvalid, "'" + bucket + "' and '" + key + "' are no names of a bucket and a file in it"};
}

Result<> clean(const std::filesystem::path& folder) {
  TRY(os::make_directories(folder));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with('.')) TRY(os::remove_all(entry.path()));
  }
  return {};
}

// Exports that were being written, at any depth of a bucket.
Result<> clean_buckets(const std::filesystem::path& folder) {
  TRY(os::make_directories(folder));
  std::vector<std::filesystem::path> drafts;
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().filename().string().starts_with(kExportDraft)) drafts.push_back(at->path());
  }
  for (const std::filesystem::path& draft : drafts) TRY(os::remove_all(draft));
  return {};
}

}  // namespace

Result<DiskPlaces> DiskPlaces::open(const std::filesystem::path& folder) {
  store::LayerFolder layers = TRY(store::LayerFolder::open(folder / "layers"));
  DiskPlaces places{folder / "volumes", folder / "snapshots", folder / "transfers", folder / "buckets",
                    std::move(layers)};
  TRY(clean(places.volumes));
  TRY(clean(places.snapshots));
  TRY(os::make_directories(places.transfers));
  TRY(clean_buckets(places.buckets));
  return places;
}

Result<std::filesystem::path> DiskPlaces::bucket_file(const model::AccountId& account, const std::string& bucket,
                                                      const std::string& key) const {
  const bool good = account && is_plain_name(bucket) && !key.empty() && !key.starts_with('/') && !key.ends_with('/');
  std::filesystem::path path = buckets / account.text() / bucket;
  for (std::size_t at = 0; good && at < key.size();) {
    const std::size_t end = std::min(key.find('/', at), key.size());
    const std::string part = key.substr(at, end - at);
    if (!is_plain_name(part)) return bad_file(bucket, key);
    path /= part;
    at = end + 1;
  }
  if (!good) return bad_file(bucket, key);
  return path;
}

Result<> remove_disk(const store::DiskFolder& folder) {
  const std::filesystem::path& path = folder.path();
  if (!std::filesystem::exists(path)) return {};
  const std::filesystem::path doomed = path.parent_path() / (".removed-" + path.filename().string());
  TRY(os::remove_all(doomed));
  TRY(os::rename(path, doomed));
  return os::remove_all(doomed);
}

std::string serial_of(model::VolumeId id) {
  std::string text = id.text();
  text.erase(kPrefix.size(), 1);
  return text;
}

Result<model::VolumeId> volume_of_serial(const std::string& serial) {
  if (!serial.starts_with(kPrefix)) return Error(ErrorCode::kInvalid, "'" + serial + "' is no volume");
  return model::VolumeId::parse(std::string(kPrefix) + "-" + serial.substr(kPrefix.size()));
}

}  // namespace pileus::host
