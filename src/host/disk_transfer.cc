#include "host/disk_transfer.h"

#include <charconv>

#include "foreign/disk_writer.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/disk_folder.h"

namespace pileus::host {
namespace {

constexpr std::string_view kRaw = ".raw";
// Of the whole of an import, as progress counts it; fetching takes the rest.
constexpr double kConverting = 0.5;

// The disk that layers are, for a writer.
class LayersReader final : public foreign::DiskReader {
 public:
  explicit LayersReader(std::shared_ptr<virtio::BlockBackend> disk) : disk_(std::move(disk)) {}
  foreign::Format format() const override { return foreign::Format::kRaw; }
  u64 size() const override { return disk_->size(); }
  u64 chunk_size() const override { return kChunk; }
  Result<u64> next_data(u64 index) override { return index; }
  Result<> read(u64 index, std::span<u8> out) override {
    const u64 offset = index * kChunk;
    return disk_->read(offset, out.first(std::min<u64>(kChunk, size() - offset)));
  }

 private:
  static constexpr u64 kChunk = 64 * kKiB;
  const std::shared_ptr<virtio::BlockBackend> disk_;
};

Result<foreign::Format> format_of(const std::string& name) {
  const std::optional<foreign::Format> format = foreign::parse_format(name);
  if (format) return *format;
  return Error(ErrorCode::kUnsupported, "'" + name + "' is no format of disks that is known here");
}

// As long as the host's disk has room: a small file may become a large disk.
Result<> write_with_room(foreign::DiskReader& disk, foreign::Format format, const std::filesystem::path& path,
                         const foreign::Progress& progress) {
  TRY(os::remove_all(path));
  Result<> room;
  Result<> written = foreign::write_disk(disk, format, path, [&](double part) {
    room = check_room(path.parent_path(), 0);
    return room.ok() && progress(part);
  });
  return room.ok() ? std::move(written) : std::move(room);
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
  std::unique_ptr<foreign::Input> input = TRY(foreign::open_input(file));
  const u64 file_bytes = input->size();
  const std::unique_ptr<foreign::DiskReader> reader = TRY(foreign::open_disk(std::move(input), format));
  const std::filesystem::path draft = folder / "draft";
  TRY(write_with_room(*reader, foreign::Format::kRaw, draft,
                      [&](double part) { return progress("converting", 1 - kConverting + part * kConverting); }));
  TRY(os::remove_all(folder / "download"));
  const std::string name = std::to_string(number) + "-" + std::to_string(file_bytes) + std::string(kRaw);
  TRY(os::rename(draft, folder / name));
  return os::sync_directory(folder);
}

Result<> export_disk(const std::vector<store::Layer>& layers, const std::string& format,
                     const std::filesystem::path& path, const TransferProgress& progress) {
  if (std::filesystem::exists(path)) return {};  // its name is its task's own: done before we were killed
  const foreign::Format wanted = TRY(format_of(format));
  const store::DiskFolder nowhere("/");
  LayersReader reader(TRY(nowhere.open_layers(layers)));
  TRY(os::make_directories(path.parent_path()));
  const std::filesystem::path draft = path.parent_path() / (std::string(kExportDraft) + path.filename().string());
  TRY(write_with_room(reader, wanted, draft, [&](double part) { return progress("converting", part); }));
  TRY(os::rename(draft, path));
  return os::sync_directory(path.parent_path());
}

}  // namespace pileus::host
