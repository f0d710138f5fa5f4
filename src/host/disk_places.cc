#include "host/disk_places.h"

#include "os/file.h"

namespace pileus::host {
namespace {

constexpr std::string_view kPrefix = "vol";

Result<> clean(const std::filesystem::path& folder) {
  TRY(os::make_directories(folder));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with('.')) TRY(os::remove_all(entry.path()));
  }
  return {};
}

}  // namespace

Result<DiskPlaces> DiskPlaces::open(const std::filesystem::path& folder) {
  DiskPlaces places{folder / "volumes", folder / "snapshots", TRY(store::LayerFolder::open(folder / "layers"))};
  TRY(clean(places.volumes));
  TRY(clean(places.snapshots));
  return places;
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
