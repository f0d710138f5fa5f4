// Board: the devices of a machine on its buses, around an engine, and the loading of its guest. It
// knows how to be put into its power-on state; when that happens, and the threads, are Machine's
// business.
//
// Members are declared so that each outlives those that point to it.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest/huge_pages.h"
#include "machine/devices/cmos.h"
#include "machine/devices/exit_port.h"
#include "machine/devices/ioapic.h"
#include "machine/devices/pci_bus.h"
#include "machine/devices/power_ports.h"
#include "machine/devices/serial.h"
#include "machine/devices/slot_ports.h"
#include "machine/firmware/bios.h"
#include "machine/legacy/isa_interrupts.h"
#include "machine/legacy/legacy_devices.h"
#include "machine/machine.h"
#include "machine/sata.h"
#include "machine/smbios/tables.h"
#include "virtio/blk.h"
#include "virtio/pci_transport.h"

namespace pileus::machine {

class Board {
 public:
  // Makes RAM, devices, engine and vCPUs. `config` is checked; `power` and `on_eject` are called on vCPU threads.
  static Result<std::unique_ptr<Board>> create(MachineConfig config, const PowerRequests& power,
                                               std::function<void()> on_eject);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  // Puts every device into its power-on state, loads the guest and sets the state of all vCPUs. No
  // vCPU may run.
  Result<> reset_and_load();
  void power_button();
  void nmi();

  // What follows, up to remind(), is called by one thread at a time, and not during reset_and_load().
  // kExists: the place is taken. The guest is told.
  Result<> attach_disk(u32 place, Disk disk);
  // kNotFound: there is none, or the guest was asked already and has let go of it.
  Result<> ask_to_detach(u32 place);
  // Takes out those that the guest let go of; with `all`, those too that it was asked for. No vCPU may run.
  std::vector<u32> take_out(bool all);
  // At once, whatever the guest thinks of it. No vCPU may run.
  Result<> detach_disk(u32 place);
  // The device in that place, or null. Its backend is the I/O thread's.
  virtio::GuestDisk* disk_at(u32 place);
  virtio::IoThread& io() { return *config_.io; }
  // Interrupts the guest once more if it has not looked at the slots yet. False: it has.
  bool remind();

  guest::GuestMemory& memory() { return memory_; }
  engine::Engine& engine() const { return *engine_; }
  // Accesses of the guest to ports and addresses where nothing is.
  u64 unclaimed_accesses() const { return ports_.unclaimed() + mmio_.unclaimed(); }
  const std::vector<engine::Vcpu*>& vcpus() const { return vcpus_; }

 private:
  Board(MachineConfig config, guest::GuestMemory memory, const PowerRequests& power, std::function<void()> on_eject);
  void ring_slots();
  void on_eject(u32 slots);
  void remove_function(unsigned slot);
  Result<> make_engine();
  Result<> make_virtio();
  Result<> make_sata();
  virtio::OnRoom on_room(u32 place) const;
  Result<> plug_disk(u32 place, Disk disk);
  Result<> add_virtio(unsigned slot, std::unique_ptr<virtio::Device> device);
  Result<> make_legacy_devices(const PowerRequests& power);
  Result<> wire_buses();
  Result<> load_acpi();
  SmbiosBoard smbios_board() const;
  void load_smbios();
  std::vector<std::string> boot_order() const;
  Result<> make_bios();
  void load_reset_code();
  Result<engine::CpuState> load_guest();
  Result<engine::CpuState> load_boot_cpu();

  MachineConfig config_;  // its disks and network move into the virtio devices
  guest::GuestMemory memory_;
  std::optional<guest::HugePages> huge_pages_;  // once the guest is loaded: it would be in the way of that
  guest::Bus mmio_{"memory-mapped I/O"};
  guest::Bus ports_{"I/O ports"};
  Ioapic ioapic_;
  IsaInterrupts isa_{ioapic_};
  Cmos cmos_;
  std::unique_ptr<LegacyDevices> legacy_;  // may be null
  std::unique_ptr<engine::Engine> engine_;
  std::vector<engine::Vcpu*> vcpus_;  // owned by the engine
  PowerPorts power_;
  I8042 i8042_;
  PostPort post_;
  ExitPort exit_;
  const std::function<void()> on_eject_;
  SlotPorts slots_;
  std::atomic<u32> asked_{0};    // slots whose function the guest was asked to let go of
  std::atomic<u32> ejected_{0};  // of these: it did
  Serial serial_;
  std::unique_ptr<Bios> bios_;                 // null: a kernel is booted
  std::array<std::unique_ptr<virtio::VirtioPci>, PciBus::kDevices> functions_;  // by slot
  std::optional<Sata> sata_;  // with --disk-bus sata
  PciBus pci_;
};

}  // namespace pileus::machine
