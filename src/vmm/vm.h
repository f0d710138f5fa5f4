// Vm: one VM's life, from its folder to its end. The body of the program pileus-vmm.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "debug/gdb/server.h"
#include "machine/machine.h"
#include "os/event_loop.h"
#include "os/file.h"
#include "virtio/io_thread.h"
#include "vmm/config.h"
#include "vmm/console_hub.h"
#include "vmm/control_server.h"
#include "vmm/disk_control.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

// The exit status of pileus-vmm.
enum class VmExit {
  // A guest that wrote N to its exit port ends it with guest_exit_status(N), which may be the number of another.
  kPoweredOff = 0,  // the guest shut itself down
  kCannotStart = 1,  // configuration, disk, port or host at fault; said on standard error and in state.json
  kUsage = 2,     // wrong arguments
  kBusy = 3,      // another pileus-vmm runs this VM
  kCrashed = 10,  // the guest triple-faulted
  kError = 11,    // the engine could not go on
  kKilled = 12,   // ended from outside without the guest's help
};

// As QEMU does with its isa-debug-exit: never 0. The state in the VM's folder has the code itself.
constexpr int guest_exit_status(u32 code) { return static_cast<int>((code << 1 | 1) & 0xFF); }

// What is wished for one run of a VM, and is not part of its configuration.
struct RunOptions {
  std::optional<debug::gdb::Address> gdb;  // where a GDB may connect
  bool gdb_wait = false;  // let nothing of the guest run before one has connected and continues
};

class Vm {
 public:
  // Takes the VM's lock, which the process has until it ends, and makes its machine; nothing of the guest has run. Call with SIGTERM,
  // SIGINT and SIGHUP blocked, before there are other threads: they are taken as wishes to stop.
  static Result<std::unique_ptr<Vm>> create(const VmDirectory& directory, const RunOptions& options);
  ~Vm();

  // Runs the guest to its end; gives the exit status for the process.
  int run();

 private:
  Vm(VmDirectory directory, RunOptions options) : directory_(std::move(directory)), options_(std::move(options)) {}
  Result<> prepare();
  Result<EngineChoice> choose_engine();
  Result<machine::MachineConfig> machine_config();
  Result<> watch_signals();
  void on_signal();
  std::string answer(const Request& request);
  engine::Counters stats() const;
  void set_phase(VmPhase phase, const std::string& message);
  void note_waiting_disks();
  void save_state();  // with state_mutex_
  Result<std::unique_ptr<guest::CharBackend>> make_console(const std::string& socket, const std::string& log);
  std::string start_profile();
  std::string stop_profile();
  void ask_to_stop();
  void press_button();
  bool is_stopping();
  void not_stopping(const std::string& message);

  VmDirectory directory_;
  const RunOptions options_;
  VmConfig config_;
  std::mutex state_mutex_;
  VmState state_;  // guarded by state_mutex_
  // Destroyed from the last to the first: the control loop outlives all that it serves.
  std::unique_ptr<virtio::IoThread> control_;
  std::unique_ptr<DiskControl> disks_;
  std::unique_ptr<debug::gdb::Server> gdb_;  // may be null; told of stops by the machine's threads, but ended before it
  std::unique_ptr<machine::Machine> machine_;
  std::unique_ptr<ControlServer> server_;
  os::Fd signals_;
  std::unique_ptr<os::Timer> deadline_;  // used on the control loop
  std::unique_ptr<os::Timer> patience_;  // used on the control loop: how long a press of the button is waited for
  std::unique_ptr<os::Timer> again_;     // used on the control loop: the next press
  bool stop_asked_ = false;              // used on the control loop
};

// Runs the VM of a folder; what goes wrong before the guest runs is left in state.json and given
// back.
Result<int> run_vm(const VmDirectory& directory, const RunOptions& options);

}  // namespace pileus::vmm
