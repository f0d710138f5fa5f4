#include "vmm/disk_control.h"

#include "base/log.h"
#include "store/flatten.h"
#include "vmm/disks.h"

namespace pileus::vmm {
namespace {

// A guest that boots may miss the interrupt that tells it of its slots.
constexpr u64 kReminderNs = 1'000'000'000;
constexpr int kReminders = 120;

}  // namespace

Result<machine::Disks> DiskControl::open(const VmConfig& config) {
  machine::Disks disks;
  const auto add = [&](AttachedDisk disk, OpenedDisk opened) {
    Entry& entry = entries_[disk.place];
    entry.folder = opened.folder;
    entry.bytes = opened.disk.backend->size();
    disks.emplace(disk.place, std::move(opened.disk));
    entry.disk = std::move(disk);
  };
  TRY(store::flatten_if_many(own_disk(directory_, config)));
  add({.id = kRoot, .path = own_disk(directory_, config).path().string(), .device = "", .read_only = false, .place = 0},
      TRY(open_own_disk(directory_, config)));
  if (has_seed(directory_)) {
    add({.id = "seed", .path = directory_.seed(), .device = "", .read_only = true, .place = 1},
        TRY(open_seed(directory_)));
  }
  for (AttachedDisk& disk : TRY(load_disks(directory_))) {
    if (std::filesystem::is_directory(disk.path)) TRY(store::flatten_if_many(store::DiskFolder(disk.path)));
    OpenedDisk opened = TRY(open_disk(disk).with("disk " + disk.id));
    add(std::move(disk), std::move(opened));
  }
  return disks;
}

Result<> DiskControl::serve(machine::Machine& machine, os::EventLoop& loop) {
  machine_ = &machine;
  reminder_ = TRY(os::Timer::create(loop, [this] { remind(); }));
  return {};
}

void DiskControl::stop() {
  machine_ = nullptr;
  reminder_.reset();
}

std::string DiskControl::answer(const Request& request) {
  const Result<std::string> reply = carry_out(request);
  return reply ? *reply : encode_error(reply.error());
}

Result<std::string> DiskControl::carry_out(const Request& request) {
  if (machine_ == nullptr) return Error(ErrorCode::kBusy, "the VM does not run yet, or not any more");
  switch (request.command) {
    case Command::kDiskAttach: TRY(attach(request.disk)); break;
    case Command::kDiskDetach: TRY(detach(request.disk)); break;
    case Command::kDiskResize: TRY(resize(request.disk)); break;
    case Command::kDiskSnapshot: TRY(snapshot(request.disk)); break;
    default: break;
  }
  return list();
}

std::string DiskControl::list() const {
  std::vector<DiskStatus> disks;
  for (const auto& [place, entry] : entries_) {
    const u64 layers = entry.folder == nullptr ? 0 : entry.folder->chain().layers.size();
    disks.push_back({entry.disk.id, entry.disk.path, entry.disk.device, entry.bytes, entry.disk.read_only, place,
                     layers, entry.detaching});
  }
  return encode_disks_reply(disks);
}

std::vector<AttachedDisk> DiskControl::attached() const {
  std::vector<AttachedDisk> disks;
  for (const auto& [place, entry] : entries_) {
    if (place >= kFirstFreePlace) disks.push_back(entry.disk);
  }
  return disks;
}

Result<DiskControl::Entry*> DiskControl::find(const std::string& id) {
  for (auto& [place, entry] : entries_) {
    if (entry.disk.id == id) return &entry;
  }
  return Error(ErrorCode::kNotFound, "the VM has no disk '" + id + "'");
}

Result<DiskControl::Entry*> DiskControl::the_one(const DiskArguments& arguments) {
  if (arguments.disks.size() != 1) return Error(ErrorCode::kInvalid, "the request is to name one disk");
  return find(arguments.disks.front());
}

Result<> DiskControl::attach(const DiskArguments& arguments) {
  if (arguments.disks.size() != 1) return Error(ErrorCode::kInvalid, "the request is to name one disk");
  AttachedDisk disk{.id = arguments.disks.front(),
                    .path = arguments.path,
                    .device = arguments.device,
                    .read_only = arguments.read_only,
                    .place = 0};
  if (const Result<Entry*> known = find(disk.id); known && !(*known)->detaching && (*known)->disk.path == disk.path) {
    return {};  // it is there
  }
  std::vector<AttachedDisk> disks = attached();
  TRY(add_disk(disks, disk));
  disk = disks.back();
  OpenedDisk opened = TRY(open_disk(disk));
  const Entry entry{disk, opened.folder, opened.disk.backend->size(), false, false};
  TRY(save_disks(directory_, disks));
  Result<> plugged = machine_->attach_disk(disk.place, std::move(opened.disk));
  if (!plugged) {
    TRY(save_disks(directory_, attached()));
    return plugged;
  }
  entries_[disk.place] = entry;
  reminders_left_ = kReminders;
  reminder_->arm(kReminderNs);
  return {};
}

Result<> DiskControl::detach(const DiskArguments& arguments) {
  Entry& entry = *TRY(the_one(arguments));
  if (entry.disk.place < kFirstFreePlace) {
    return Error(ErrorCode::kInvalid, "the VM cannot be without its " + entry.disk.id + " disk");
  }
  const u32 place = entry.disk.place;
  if (arguments.force) {
    TRY(machine_->detach_disk(place));
    on_gone(place);
    return {};
  }
  TRY(machine_->ask_to_detach(place));
  entry.detaching = true;
  reminders_left_ = kReminders;
  reminder_->arm(kReminderNs);
  return {};
}

Result<> DiskControl::resize(const DiskArguments& arguments) {
  Entry& entry = *TRY(the_one(arguments));
  if (entry.folder == nullptr) {
    return Error(ErrorCode::kUnsupported, "disk " + entry.disk.id + " is a file of its own and keeps its size");
  }
  TRY(machine_->with_disks({entry.disk.place}, [&] { return entry.folder->grow(arguments.bytes); }));
  entry.bytes = entry.folder->size();
  return {};
}

// Several disks at the same moment: none of the guest's requests is between them.
Result<> DiskControl::snapshot(const DiskArguments& arguments) {
  if (arguments.mark.empty()) return Error(ErrorCode::kInvalid, "a snapshot has a \"mark\"");
  std::vector<u32> places;
  std::vector<store::Disk*> folders;
  for (const std::string& id : arguments.disks) {
    const Entry& entry = *TRY(find(id));
    if (entry.folder == nullptr) {
      return Error(ErrorCode::kUnsupported, "disk " + id + " cannot have snapshots: it is a file of its own");
    }
    places.push_back(entry.disk.place);
    folders.push_back(entry.folder);
  }
  return machine_->with_disks(places, [&]() -> Result<> {
    for (store::Disk* const folder : folders) TRY(folder->snapshot(arguments.mark));
    return {};
  });
}

void DiskControl::on_gone(u32 place) {
  const auto found = entries_.find(place);
  if (found == entries_.end()) return;
  log::info("disk {} was detached", found->second.disk.id);
  entries_.erase(found);
  const Result<> saved = save_disks(directory_, attached());
  if (!saved) log::error("{}", saved.error().message());
}

void DiskControl::on_room(u32 place, const std::string& why) {
  const auto found = entries_.find(place);
  if (found != entries_.end()) found->second.waiting = !why.empty();
}

std::vector<std::string> DiskControl::waiting() const {
  std::vector<std::string> ids;
  for (const auto& [place, entry] : entries_) {
    if (entry.waiting) ids.push_back(entry.disk.id);
  }
  return ids;
}

void DiskControl::remind() {
  if (machine_ == nullptr || --reminders_left_ < 0 || !machine_->remind()) return;
  reminder_->arm(kReminderNs);
}

}  // namespace pileus::vmm
