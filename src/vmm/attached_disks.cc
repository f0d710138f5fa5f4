#include "vmm/attached_disks.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "virtio/raw_file.h"
#include "vmm/disks.h"
#include "vmm/internal/json_reader.h"

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxId = 20;  // virtio 1.2, 5.2.6

Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "disks.json " + why}; }

// A read-only view of a disk that several VMs may have at once.
class SharedLayers : public virtio::BlockBackend {
 public:
  explicit SharedLayers(std::shared_ptr<virtio::BlockBackend> disk) : disk_(std::move(disk)) {}
  u64 size() const override { return disk_->size(); }
  bool read_only() const override { return true; }
  Result<> read(u64 offset, std::span<u8> out) override { return disk_->read(offset, out); }
  Result<> write(u64 offset, std::span<const u8> data) override { return disk_->write(offset, data); }
  Result<> flush() override { return {}; }
  Result<> discard(u64 offset, u64 length) override { return disk_->discard(offset, length); }
  Result<> write_zeroes(u64 offset, u64 length) override { return disk_->write_zeroes(offset, length); }

 private:
  std::shared_ptr<virtio::BlockBackend> disk_;
};

// All layers and the top, none of which is written.
Result<std::unique_ptr<virtio::BlockBackend>> open_read_only(const store::DiskFolder& folder) {
  store::Chain chain = TRY(folder.chain());
  chain.layers.push_back({.file = chain.top, .raw = false});
  return std::unique_ptr<virtio::BlockBackend>(std::make_unique<SharedLayers>(TRY(folder.open_layers(chain.layers))));
}

}  // namespace

std::string encode_disks(const std::vector<AttachedDisk>& disks) {
  Json list = Json::array();
  for (const AttachedDisk& disk : disks) {
    list.push_back({{"id", disk.id},
                    {"path", disk.path},
                    {"device", disk.device},
                    {"read_only", disk.read_only},
                    {"place", disk.place}});
  }
  return Json({{"disks", list}}).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<AttachedDisk>> parse_disks(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("disks") || !object["disks"].is_array()) {
    return corrupt("has no list of disks");
  }
  std::vector<AttachedDisk> disks;
  std::set<std::string> ids;
  std::set<u32> places;
  for (const Json& entry : object["disks"]) {
    if (!entry.is_object()) return corrupt("has a disk that is no object");
    AttachedDisk disk;
    JsonReader reader(entry);
    reader.text("id", disk.id);
    reader.text("path", disk.path);
    reader.text("device", disk.device);
    reader.flag("read_only", disk.read_only);
    reader.number("place", disk.place);
    if (!reader.wrong().empty()) return corrupt("has a disk whose \"" + reader.wrong() + "\" is missing or wrong");
    if (disk.place < kFirstFreePlace || disk.place >= machine::kDiskPlaces) return corrupt("has an impossible place");
    if (!ids.insert(disk.id).second || !places.insert(disk.place).second) return corrupt("has a disk twice");
    disks.push_back(std::move(disk));
  }
  return disks;
}

Result<std::vector<AttachedDisk>> load_disks(const VmDirectory& directory) {
  if (!std::filesystem::exists(directory.disks())) return std::vector<AttachedDisk>{};
  const std::string text = TRY(os::read_file(directory.disks()));
  return parse_disks(text).with(directory.path().string());
}

Result<> save_disks(const VmDirectory& directory, const std::vector<AttachedDisk>& disks) {
  return os::replace_file(directory.disks(), encode_disks(disks), 0600);
}

Result<> add_disk(std::vector<AttachedDisk>& disks, AttachedDisk disk) {
  if (disk.id.empty() || disk.id.size() > kMaxId) {
    return Error(ErrorCode::kInvalid, "'" + disk.id + "' is no name for a disk: it has 1 to 20 characters");
  }
  if (std::ranges::find(disks, disk.id, &AttachedDisk::id) != disks.end()) {
    return Error(ErrorCode::kExists, "the VM has a disk '" + disk.id + "' already");
  }
  for (disk.place = kFirstFreePlace; disk.place < machine::kDiskPlaces; ++disk.place) {
    if (std::ranges::find(disks, disk.place, &AttachedDisk::place) != disks.end()) continue;
    disks.push_back(std::move(disk));
    return {};
  }
  return Error(ErrorCode::kExhausted, "the VM has as many disks as it can: detach one first");
}

Result<OpenedDisk> open_disk(const AttachedDisk& disk) {
  OpenedDisk opened;
  opened.disk.serial = disk.id;
  const bool is_folder = std::filesystem::is_directory(disk.path);
  if (is_folder && !disk.read_only) {
    std::unique_ptr<store::Disk> open = TRY(store::DiskFolder(disk.path).open());
    opened.folder = open.get();
    opened.disk.backend = std::move(open);
  } else if (is_folder) {
    opened.disk.backend = TRY(open_read_only(store::DiskFolder(disk.path)));
  } else {
    TRY(probe_base_disk(disk.path));
    const virtio::Access access = disk.read_only ? virtio::Access::kReadOnly : virtio::Access::kReadWrite;
    opened.disk.backend = TRY(virtio::RawFile::open(disk.path, access));
  }
  return opened;
}

}  // namespace pileus::vmm
