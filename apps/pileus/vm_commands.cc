// vm ls, show, ssh, console, stop, kill, reset, rm, stats: what acts on VMs that there are.
#include "vm_commands.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "interrupt.h"
#include "login.h"
#include "output.h"
#include "print_json.h"
#include "start_vm.h"
#include "vmm/control_client.h"
#include "vms.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kStopPatience{90};
constexpr std::chrono::seconds kKillPatience{60};  // its disks are flushed, and the host's may be busy

std::string up_time(const vmm::VmState& state) {
  if (!vmm::is_alive(state.phase) || state.started_unix_s == 0) return "-";
  const i64 seconds = std::time(nullptr) - state.started_unix_s;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m";
}

std::string source_of(const vmm::VmConfig& config) { return config.image.empty() ? config.base_disk : config.image; }

Json to_json(const VmEntry& vm) {
  const vmm::VmState state = vm.directory.state();
  Json object = Json::parse(vmm::encode_config(vm.config), nullptr, false);
  object["phase"] = vmm::phase_name(state.phase);
  object["message"] = state.message;
  if (state.exit_code) object["exit_code"] = *state.exit_code;
  object["waiting_disks"] = state.waiting_disks;
  object["pid"] = state.pid;
  object["started_unix_s"] = state.started_unix_s;
  object["engine_used"] = state.engine_used;
  object["engine_reason"] = state.engine_reason;
  object["ssh_port"] = vm.config.ssh_port();
  object["folder"] = vm.directory.path().string();
  return object;
}

// Of disks whose changes have no room; docs/adr/0059.
std::string waiting_text(const std::vector<std::string>& disks) {
  std::string names;
  for (const std::string& disk : disks) names += (names.empty() ? "" : ", ") + disk;
  return names + ": what the guest writes there waits, and is written when the file system has room again";
}

Error not_running(const std::string& name) {
  return Error(ErrorCode::kNotFound, "VM " + name + " does not run: `pileus vm start " + name + "` starts it");
}

// kNotFound of ask() is about a socket; people care for the VM.
Result<std::string> ask_running(const VmEntry& vm, vmm::Command command) {
  if (!vm.directory.in_use()) return not_running(vm.config.name);
  return vmm::ask(vm.directory, command);
}

Result<> kill_and_wait(const VmEntry& vm) {
  TRY(ask_running(vm, vmm::Command::kKill));
  if (wait_for_end(vm, kKillPatience)) return {};
  return Error(ErrorCode::kTimeout, "VM " + vm.config.name + " does not end: `kill -9 " +
                                        std::to_string(vm.directory.state().pid) + "` ends its pileus-vmm");
}

}  // namespace

Result<int> vm_list(image::Library& library, const CommandLine& line) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "STATE", "UP", "CPUS", "MEMORY", "DISK", "SSH", "OF"}};
  Json array = Json::array();
  for (const VmEntry& vm : list_vms(library)) {
    if (line.quiet) {
      std::printf("%s\n", vm.config.name.c_str());
    } else if (line.json) {
      array.push_back(to_json(vm));
    } else {
      const vmm::VmState state = vm.directory.state();
      rows.push_back({vm.config.name, vmm::phase_name(state.phase), up_time(state), std::to_string(vm.config.cpu_count),
                      vmm::format_size(vm.config.memory_bytes), vmm::format_size(vm.config.disk_bytes),
                      std::to_string(vm.config.ssh_port()), source_of(vm.config)});
    }
  }
  if (line.json) print_json(array);
  if (!line.json && !line.quiet) print_table(rows);
  return 0;
}

Result<int> vm_show(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  if (line.json) {
    print_json(to_json(vm));
    return 0;
  }
  const vmm::VmState state = vm.directory.state();
  std::string forwards;
  for (const vmm::PortForward& forward : vm.config.forwards) {
    forwards += (forwards.empty() ? "" : " ") + vmm::format_forward(forward);
  }
  std::vector<std::vector<std::string>> rows = {
      {"name", vm.config.name},
      {"state", vmm::phase_name(state.phase)},
      {"up", up_time(state)},
      {"of", source_of(vm.config)},
      {"cpus", std::to_string(vm.config.cpu_count)},
      {"memory", vmm::format_size(vm.config.memory_bytes)},
      {"disk", vmm::format_size(vm.config.disk_bytes)},
      {"disk bus", vmm::disk_bus_name(vm.config.disk_bus)},
      {"engine", vmm::engine_name(vm.config.engine)},
      {"paravirt", vm.config.paravirt ? "on" : "off"},
      {"direct", vm.config.direct ? "on" : "off"},
      {"cpu model", vm.config.cpu_model},
      {"network", vm.config.restrict_network ? "forwards only" : "NAT and forwards"},
      {"forwards", forwards},
      {"folder", vm.directory.path().string()},
      {"console log", vm.directory.console_log()}};
  if (!state.engine_used.empty()) rows.push_back({"runs under", state.engine_used + ": " + state.engine_reason});
  if (!state.message.empty()) rows.push_back({"message", printable(state.message)});
  if (!state.waiting_disks.empty()) rows.push_back({"waits for room", waiting_text(state.waiting_disks)});
  if (state.exit_code) rows.push_back({"exit code", std::to_string(*state.exit_code)});
  if (state.pid != 0) rows.push_back({"pid", std::to_string(state.pid)});
  print_table(rows);
  return 0;
}

Result<int> vm_ssh(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  return become_ssh(vm, line.words);
}

Result<int> vm_console(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const ConsoleEnd end = TRY(attach_console(vm, line.virtio ? ConsoleKind::kVirtio : ConsoleKind::kSerial));
  std::fputs(end == ConsoleEnd::kLeft ? "\nleft the console\n" : "\nthe VM ended\n", stderr);
  return 0;
}

Result<int> vm_stop(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  if (!vm.directory.in_use()) return 0;  // as wanted
  catch_interrupts();
  TRY(ask_running(vm, vmm::Command::kStop));
  const std::chrono::seconds patience = line.timeout_s == 0 ? kStopPatience : std::chrono::seconds(line.timeout_s);
  if (wait_for_end(vm, patience)) return 0;
  if (line.force && !interrupted()) {
    if (vm.directory.in_use()) TRY(kill_and_wait(vm));
    return 0;
  }
  return Error(ErrorCode::kTimeout, "VM " + line.name + " has not shut down: look at it with `pileus vm console " +
                                        line.name + "`, or end it with `pileus vm kill " + line.name + "`");
}

Result<int> vm_kill(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  if (vm.directory.in_use()) TRY(kill_and_wait(vm));
  return 0;
}

Result<int> vm_reset(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  TRY(ask_running(vm, vmm::Command::kReset));
  return 0;
}

Result<int> vm_nmi(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  TRY(ask_running(vm, vmm::Command::kNmi));
  return 0;
}

Result<int> vm_remove(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  if (line.force && vm.directory.in_use()) TRY(kill_and_wait(vm));
  const Result<os::FileLock> lock = vm.directory.lock();
  if (!lock) {
    if (lock.error().code() != ErrorCode::kBusy) return lock.error();
    return Error(ErrorCode::kBusy, "VM " + line.name + " runs: stop it with `pileus vm stop " + line.name +
                                       "`, or remove it with --force");
  }
  // Out of sight first, so that no half-removed VM is ever found.
  const std::filesystem::path doomed = library.vms() / ("." + line.name + ".removed." + std::to_string(::getpid()));
  TRY(os::rename(vm.directory.path(), doomed));
  TRY(os::remove_all(doomed));
  return 0;
}

Result<int> vm_stats(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const std::string reply = TRY(ask_running(vm, vmm::Command::kStats));
  const engine::Counters counters = TRY(vmm::parse_stats_reply(reply));
  Json object = Json::object();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : counters) {
    object[name] = value;
    rows.push_back({printable(name), std::to_string(value)});
  }
  if (line.json) {
    print_json(object);
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace pileus::cli
