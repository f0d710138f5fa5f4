// Machine: the board of one VM, wired: RAM, buses, interrupt controllers, ACPI, PCI with virtio
// devices, vCPU threads and the boot of a Linux kernel. What runs guest instructions comes from an
// engine factory.
//
// Ownership: a Machine owns everything in its MachineConfig, the engine and its threads; destroying
// it stops the guest. Threads: every public function may be called from any thread, except the
// destructor and start() (once, by the owner).
//
// Life: create() -> start() -> running -> (the guest resets itself any number of times, counted) ->
// ended, once, for good. wait() tells how. A guest that triple-faults ends its own machine and
// nothing else.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "engine/engine.h"
#include "guest/char_backend.h"
#include "machine/disk.h"
#include "machine/loader/multiboot.h"
#include "machine/smbios/identity.h"
#include "virtio/io_thread.h"
#include "virtio/net.h"

namespace pileus::machine {

// A kernel given from outside, as read from its file: a bzImage, an ELF vmlinux, or whatever has a Multiboot 1 header.
struct KernelBoot {
  std::vector<u8> kernel;
  std::vector<u8> initrd;  // may be empty
  std::string command_line;
  std::vector<MultibootModule> modules;  // for a Multiboot kernel only, which in turn has no initrd
};

// The default boot entry found inside the first disk, looked up again at every reset (as firmware
// would).
struct DiskBoot {
  std::string append;  // added to the entry's command line, e.g. "console=ttyS0"
};

// A PC's firmware, which boots from the disks by itself. Needs legacy devices.
struct FirmwareBoot {
  std::vector<u8> image;  // SeaBIOS
};

using EngineFactory = std::function<Result<std::unique_ptr<engine::Engine>>(const engine::Config&)>;

struct MachineConfig {
  u64 memory_bytes = 512 * kMiB;  // a multiple of 4 KiB, 32 MiB to 252 GiB
  u32 cpu_count = 1;              // 1 to 254
  EngineFactory make_engine;      // e.g. engine::create_bt
  bool paravirt = true;           // offer the guest the KVM paravirtual interface
  std::string cpu_model{engine::kDefaultCpuModel};
  engine::DirectMode direct = engine::DirectMode::kAuto;
  SystemIdentity identity;

  // The thread that works for all devices; made by create() when null. Give it when a backend below
  // needs its loop: it outlives them.
  std::unique_ptr<virtio::IoThread> io;
  Disks disks;
  DiskBus disk_bus = DiskBus::kVirtio;
  std::unique_ptr<virtio::BlockBackend> cd;  // the disc in a CD drive; may be null: no such drive
  std::unique_ptr<virtio::NetBackend> net;  // may be null: no network card
  virtio::MacAddress mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  u16 mtu = 1500;
  std::unique_ptr<guest::CharBackend> serial;   // COM1; may be null: output is thrown away
  std::unique_ptr<guest::CharBackend> console;  // virtio-console, /dev/hvc0; may be null: no such device

  std::variant<KernelBoot, DiskBoot, FirmwareBoot> boot;
  bool legacy_devices = false;  // 8259A, 8254, fixed ACPI hardware, interrupts of the clock
  bool exit_port = false;  // a write to port 0xF4 ends the machine: EndReason::kExited
  std::function<void()> on_reset;  // may be empty; called on a thread of the machine at each reset
  // May be empty; called on a thread of the machine when a disk has left it: the guest let go of it, or was reset.
  std::function<void(u32 place)> on_disk_gone;
  // May be empty; called on the thread of the devices when a disk's changes begin to wait for room, with the reason, and with an
  // empty text when they go on.
  std::function<void(u32 place, const std::string& why)> on_disk_room;
  // May be empty; called on a vCPU's thread when it stopped for a debugger (engine/debug.h). That vCPU stands still until
  // the next pause() and resume(); the others run on.
  std::function<void(u32 cpu, const engine::DebugStop&)> on_debug_stop;
};

enum class EndReason {
  kPoweredOff,  // the guest entered ACPI S5
  kExited,  // the guest wrote End::code to the exit port
  kCrashed,  // triple fault
  kStopped,  // stop() was called
  kError,  // the engine or the boot at a reset failed; message says why
};

struct End {
  EndReason reason = EndReason::kStopped;
  std::string message;  // one sentence; empty when there is nothing to say
  u32 code = 0;  // with kExited
};

class Machine {
 public:
  // Makes everything and loads the guest; no guest instruction has run yet. Errors name what is
  // wrong with the configuration, the boot source or the host.
  static Result<std::unique_ptr<Machine>> create(MachineConfig config);
  virtual ~Machine() = default;

  // Starts the vCPU threads; after a pause() they wait for resume().
  virtual Result<> start() = 0;
  // Presses the power button (ACPI): a willing guest shuts down and the machine ends as
  // kPoweredOff.
  virtual void power_button() = 0;
  // Presses the NMI button: a non-maskable interrupt for the first processor, as for a guest that hangs.
  virtual void nmi() = 0;
  // Resets as the guest itself would.
  virtual void reset() = 0;
  // Ends the machine at once, as pulling the plug. Returns before it has ended; see wait().
  virtual void stop() = 0;
  // Halts all vCPUs between two instructions; returns when they stand still (false: the machine has
  // ended). Devices' own threads go on. resume() lets them run again.
  virtual bool pause() = 0;
  virtual void resume() = 0;
  // The same, but those of `held` (by index) stay where they are.
  virtual void resume_without(std::vector<bool> held) = 0;
  // For a debugger: to look at and change while the machine is paused, except kick(). By index.
  virtual const std::vector<engine::Vcpu*>& vcpus() const = 0;
  // Waits for the end of a started machine; nothing when `timeout` passed first. Without a timeout it always returns a
  // value.
  virtual std::optional<End> wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt) = 0;

  // Puts a disk into a free place, and tells the guest. A guest that does not care for that finds it when it boots.
  virtual Result<> attach_disk(u32 place, Disk disk) = 0;
  // Asks the guest to let go of the disk, as often as one likes; MachineConfig::on_disk_gone tells when it is out.
  virtual Result<> ask_to_detach(u32 place) = 0;
  // Takes it out at once: to the guest it is a disk that failed. Its backend is flushed and gone when this returns.
  virtual Result<> detach_disk(u32 place) = 0;
  // Runs `work`, which may use the backends of these disks, between two of the guest's requests; then tells the guest of
  // those whose size has changed.
  virtual Result<> with_disks(const std::vector<u32>& places, const std::function<Result<>()>& work) = 0;
  // Tells the guest again of disks that came or are to leave, if it has not looked yet. False: it has.
  virtual bool remind() = 0;

  // Resets so far and the engine's counters.
  virtual engine::Counters counters() const = 0;
  // See engine::Engine.
  virtual Result<> start_profile(u64 period_ns) = 0;
  virtual engine::Profile stop_profile() = 0;
  virtual guest::GuestMemory& memory() = 0;
};

}  // namespace pileus::machine
