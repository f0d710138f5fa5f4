// vm run, start, wait: what brings a VM up.
#include <signal.h>

#include <cstdio>
#include <thread>

#include "interrupt.h"
#include "login.h"
#include "new_vm.h"
#include "start_vm.h"
#include "vm_commands.h"
#include "vmm/control_client.h"
#include "vmm/vm.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::chrono::seconds kBootPatience{600};

// Follows a foreground VM to its end. Ctrl-C shuts it down, a second one cuts the power.
Result<int> follow(const VmEntry& vm, os::ChildProcess& child) {
  int acted = 0;
  while (true) {
    const std::optional<os::ExitStatus> ended = TRY(child.poll());
    if (ended) {
      const vmm::VmState state = vm.directory.state();
      std::fprintf(stderr, "VM %s %s%s%s; it is kept: `pileus vm start %s`, `pileus vm rm %s`\n",
                   vm.config.name.c_str(), vmm::phase_name(state.phase), state.message.empty() ? "" : ": ",
                   printable(state.message).c_str(), vm.config.name.c_str(), vm.config.name.c_str());
      return ended->signal != 0 ? static_cast<int>(vmm::VmExit::kKilled) : ended->code;
    }
    const int wanted = std::min(interrupt_count(), 2);
    if (acted < wanted) {
      std::fputs(wanted == 1 ? "\nshutting down (Ctrl-C again cuts the power)\n" : "\ncutting the power\n", stderr);
      child.signal(SIGTERM);
      acted = wanted;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

Result<int> run_in_foreground(const VmEntry& vm, os::ChildProcess& child, bool console) {
  if (console) {
    const ConsoleEnd end = TRY(attach_console(vm, ConsoleKind::kSerial));
    if (end == ConsoleEnd::kLeft) {
      std::fputs("\nshutting down (Ctrl-C cuts the power)\n", stderr);
      child.signal(SIGTERM);
    }
    return follow(vm, child);
  }
  if (vm.config.ssh_port() != 0 && wait_for_ssh(vm, kBootPatience) == SshWait::kAnswers) {
    print_login(vm);
    std::fputs("Ctrl-C shuts it down.\n", stderr);
  }
  return follow(vm, child);
}

void print_started(const VmEntry& vm) {
  std::printf(
      "VM %s runs. `pileus vm wait %s` waits until it answers, `pileus vm ssh %s` logs in, `pileus "
      "vm stop %s` "
      "shuts it down.\n",
      vm.config.name.c_str(), vm.config.name.c_str(), vm.config.name.c_str(), vm.config.name.c_str());
}

}  // namespace

Result<int> vm_run(image::Library& library, const CommandLine& line) {
  const DebugWish debug{line.gdb, line.gdb_wait};
  VmEntry vm = TRY(make_vm(library, line.run));
  catch_interrupts();
  Result<os::ChildProcess> child = start_vmm(vm, line.run.detach ? Lifetime::kDetached : Lifetime::kForeground, debug);
  if (!child) {
    TRY(os::remove_all(vm.directory.path()));  // it never ran: nothing of it is worth keeping
    return std::move(child).error();
  }
  if (line.run.detach) {
    if (TRY(child->poll())) return follow(vm, *child);  // it ended already
    child->detach();
    print_started(vm);
    print_gdb(debug);
    return 0;
  }
  print_gdb(debug);
  return run_in_foreground(vm, *child, line.run.console);
}

Result<int> vm_start(image::Library& library, const CommandLine& line) {
  VmEntry vm = TRY(find_vm(library, line.name));
  catch_interrupts();
  const DebugWish debug{line.gdb, line.gdb_wait};
  os::ChildProcess child = TRY(start_vmm(vm, Lifetime::kDetached, debug));
  if (TRY(child.poll())) return follow(vm, child);  // it ended already
  child.detach();
  print_started(vm);
  print_gdb(debug);
  return 0;
}

Result<int> vm_wait(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  catch_interrupts();
  if (!vm.directory.in_use()) {
    return Error(ErrorCode::kNotFound,
                 "VM " + line.name + " does not run: `pileus vm start " + line.name + "` starts it");
  }
  const std::chrono::seconds patience = line.timeout_s == 0 ? kBootPatience : std::chrono::seconds(line.timeout_s);
  switch (wait_for_ssh(vm, patience)) {
    case SshWait::kAnswers: print_login(vm); return 0;
    case SshWait::kEnded:
      return Error(ErrorCode::kIo, "VM " + line.name + " ended (" + vmm::phase_name(vm.directory.state().phase) +
                                       "): " + vm.directory.console_log() + " holds what it printed");
    case SshWait::kInterrupted: return kFailure;
    case SshWait::kTimeout: break;
  }
  return Error(ErrorCode::kTimeout, "VM " + line.name + " does not answer on SSH after " +
                                        std::to_string(patience.count()) + " s: look at it with `pileus vm console " +
                                        line.name + "`");
}

}  // namespace pileus::cli
