// Sata: a machine's disks and its CD drive behind one AHCI adapter. The disk in place N is at port N, the CD drive at the last.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "ahci/adapter.h"
#include "ahci/disk.h"
#include "base/result.h"
#include "machine/disk.h"

namespace pileus::machine {

class Sata {
 public:
  // With as many ports as the disks in `disks` and the CD drive take, but at least six.
  static Result<Sata> create(const ahci::Adapter::Wiring& wiring, const Disks& disks, bool with_cd);

  // kExists: the place is taken; kUnsupported: there is no such port. The guest is told.
  Result<> attach_disk(u32 place, std::unique_ptr<ahci::Disk> disk);
  void attach_cd(std::unique_ptr<virtio::BlockBackend> disc);
  // To the guest, its cable was pulled. kNotFound: there is none.
  Result<> detach_disk(u32 place);
  // Or null. Its backend is the I/O thread's.
  virtio::GuestDisk* disk_at(u32 place) const;

  ahci::Adapter& adapter() const { return *adapter_; }
  bool has_cd() const { return with_cd_; }
  u32 cd_port() const { return adapter_->port_count() - 1; }

 private:
  Sata(std::unique_ptr<ahci::Adapter> adapter, bool with_cd) : adapter_(std::move(adapter)), with_cd_(with_cd) {}
  u32 disk_ports() const { return adapter_->port_count() - (with_cd_ ? 1 : 0); }

  std::unique_ptr<ahci::Adapter> adapter_;
  bool with_cd_;
  std::map<u32, ahci::Disk*> disks_;  // owned by the adapter
};

}  // namespace pileus::machine
