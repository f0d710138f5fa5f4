#include "host/disk_transfer.h"

#include <charconv>

#include "host/capacity.h"
#include "host/raw_copy.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/disk_folder.h"
#include "virtio/raw_file.h"

namespace pileus::host {
namespace {

constexpr std::string_view kRaw = ".raw";
// Of the whole of a transfer, as progress counts it; fetching or gathering the bytes takes the rest.
constexpr double kConverting = 0.5;

Result<foreign::Format> format_of(const std::string& name) {
  const std::optional<foreign::Format> format = foreign::parse_format(name);
  if (format) return *format;
  return Error(ErrorCode::kUnsupported, "'" + name + "' is no format of disks that is known here");
}

// Makes a file as long as the host's disk has room: a small file may become a large disk.
using Make = std::function<Result<>(const std::filesystem::path& path, const foreign::Progress& progress)>;
Result<> make_with_room(const std::filesystem::path& path, const Make& make, const foreign::Progress& progress) {
  TRY(os::remove_all(path));
  Result<> room;
  Result<> made = make(path, [&](double part) {
    room = check_room(path.parent_path(), 0);
    return room.ok() && progress(part);
  });
  return room.ok() ? std::move(made) : std::move(room);
}

Result<> read_disk(const std::filesystem::path& from, foreign::Format format, const std::filesystem::path& to,
                   const foreign::Progress& progress) {
  if (format != foreign::Format::kRaw) return foreign::convert_to_raw(from, format, to, progress);
  const auto disk = TRY(virtio::RawFile::open(from, virtio::Access::kReadOnly));
  return write_raw(*disk, to, progress);
}

// By way of a raw file beside it, where the disk is not one already.
Result<> write_disk(const std::vector<store::Layer>& layers, foreign::Format format, const std::filesystem::path& to,
                    const foreign::Progress& progress) {
  const store::DiskFolder nowhere("/");
  const std::shared_ptr<virtio::BlockBackend> disk = TRY(nowhere.open_layers(layers));
  if (format == foreign::Format::kRaw) return write_raw(*disk, to, progress);
  if (layers.size() == 1 && layers[0].raw) return foreign::convert_from_raw(layers[0].file, format, to, progress);
  const std::filesystem::path raw = to.string() + std::string(kRaw);
  TRY(os::remove_all(raw));
  TRY(write_raw(*disk, raw, [&](double part) { return progress(part * kConverting); }));
  Result<> written = foreign::convert_from_raw(
      raw, format, to, [&](double part) { return progress(kConverting + part * (1 - kConverting)); });
  TRY(os::remove_all(raw));
  return written;
}

}  // namespace

std::optional<StagedDisk> find_staged(const std::filesystem::path& folder, std::size_t number) {
  const std::string prefix = std::to_string(number) + "-";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kRaw)) continue;
    StagedDisk staged{entry.path(), 0};
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), staged.file_bytes);
    return staged;
  }
  return std::nullopt;
}

Result<> import_disk(const FileFetcher& fetcher, const model::TransferDesired& task, std::size_t number,
                     const std::filesystem::path& folder, const TransferProgress& progress) {
  TRY(os::make_directories(folder));
  const model::TransferDisk& disk = task.disks.at(number);
  std::optional<foreign::Format> format;
  if (!disk.format.empty()) format = TRY(format_of(disk.format));
  const TransferProgress first_half = [&](const char* what, double part) {
    return progress(what, part * (1 - kConverting));
  };
  const std::filesystem::path file = TRY(fetcher.fetch(task, disk.from, folder, first_half));
  const foreign::DiskFile found = TRY(foreign::recognize_file(file, format));
  const std::filesystem::path draft = folder / "draft";
  const auto make = [&](const std::filesystem::path& path, const foreign::Progress& told) {
    return read_disk(file, found.format, path, told);
  };
  TRY(make_with_room(draft, make,
                     [&](double part) { return progress("converting", 1 - kConverting + part * kConverting); }));
  TRY(os::remove_all(folder / "download"));
  const std::string name = std::to_string(number) + "-" + std::to_string(found.bytes) + std::string(kRaw);
  TRY(os::rename(draft, folder / name));
  return os::sync_directory(folder);
}

Result<> export_disk(const std::vector<store::Layer>& layers, const std::string& format,
                     const std::filesystem::path& path, const TransferProgress& progress) {
  if (std::filesystem::exists(path)) return {};  // its name is its task's own: done before we were killed
  const foreign::Format wanted = TRY(format_of(format));
  TRY(os::make_directories(path.parent_path()));
  const std::filesystem::path draft = path.parent_path() / (std::string(kExportDraft) + path.filename().string());
  const auto make = [&](const std::filesystem::path& file, const foreign::Progress& told) {
    return write_disk(layers, wanted, file, told);
  };
  TRY(make_with_room(draft, make, [&](double part) { return progress("converting", part); }));
  TRY(os::rename(draft, path));
  return os::sync_directory(path.parent_path());
}

}  // namespace pileus::host
