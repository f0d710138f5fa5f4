// DiskControl: the disks of a running VM: the commands about them, and what becomes of them.
//
// Lives on the control loop's thread, but for open(), which comes first.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "os/event_loop.h"
#include "vmm/attached_disks.h"
#include "vmm/control_protocol.h"

namespace pileus::vmm {

class DiskControl {
 public:
  // How the commands name the VM's own disk.
  static constexpr const char* kRoot = "root";

  explicit DiskControl(VmDirectory directory) : directory_(std::move(directory)) {}

  // Opens all disks of the VM; what has too many layers is merged first.
  Result<machine::Disks> open(const VmConfig& config);
  // From now on there is a machine that has them.
  Result<> serve(machine::Machine& machine, os::EventLoop& loop);
  // The machine is about to end.
  void stop();

  // The reply's line.
  std::string answer(const Request& request);
  // The machine has no disk in this place any more.
  void on_gone(u32 place);
  // What the machine says of the disk's room: why it waits, or nothing.
  void on_room(u32 place, const std::string& why);
  // Ids of the disks whose changes wait for room.
  std::vector<std::string> waiting() const;

 private:
  struct Entry {
    AttachedDisk disk;
    store::Disk* folder = nullptr;  // owned by the machine; null: it has no layers
    u64 bytes = 0;
    bool detaching = false;
    bool waiting = false;  // for room
  };

  Result<std::string> carry_out(const Request& request);
  std::string list() const;
  Result<> attach(const DiskArguments& arguments);
  Result<> detach(const DiskArguments& arguments);
  Result<> resize(const DiskArguments& arguments);
  Result<> snapshot(const DiskArguments& arguments);
  Result<Entry*> find(const std::string& id);
  Result<Entry*> the_one(const DiskArguments& arguments);
  std::vector<AttachedDisk> attached() const;
  void remind();

  const VmDirectory directory_;
  std::map<u32, Entry> entries_;  // by place
  machine::Machine* machine_ = nullptr;
  std::unique_ptr<os::Timer> reminder_;
  int reminders_left_ = 0;
};

}  // namespace pileus::vmm
