#include "start_vm.h"

#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "debug/gdb/server.h"
#include "host/vm_maker.h"
#include "interrupt.h"
#include "login.h"
#include "new_vm.h"
#include "os/file.h"
#include "os/tcp.h"
#include "vmm/console_hub.h"
#include "vmm/vm.h"

namespace pileus::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{100};
// OpenSSH 9.8 and later shut out for a while who connects often and goes before it says anything, as an impatient wait
// would.
constexpr std::chrono::milliseconds kBannerPatience{5000};
constexpr std::size_t kTail = 4096;

std::string console_end(const std::string& path) {
  const Result<std::string> text = os::read_file(path, 2 * vmm::ConsoleHub::kMaxLog);
  return text ? last_printable_line(text->substr(text->size() - std::min(text->size(), kTail))) : std::string();
}

// Whether it is the guest that ended so soon, not the start that failed.
bool guest_ran(const VmEntry& vm, const os::ExitStatus& status) {
  using vmm::VmExit;
  if (vm.directory.state().exit_code) return true;
  return status.success() || (status.signal == 0 && (status.code == static_cast<int>(VmExit::kCrashed) ||
                                                     status.code == static_cast<int>(VmExit::kError) ||
                                                     status.code == static_cast<int>(VmExit::kKilled)));
}

Error start_error(const VmEntry& vm, const os::ExitStatus& status) {
  return Error(ErrorCode::kIo,
               "VM " + vm.config.name + " did not start: " + printable(host::why_not_started(vm.directory, status)));
}

// The words for pileus-vmm, whose folder may be another one than ours.
Result<std::vector<std::string>> gdb_words(const DebugWish& debug) {
  if (debug.gdb.empty()) return std::vector<std::string>();
  debug::gdb::Address address = TRY(debug::gdb::parse_address(debug.gdb).with("--gdb"));
  if (auto* socket = std::get_if<debug::gdb::UnixAddress>(&address)) {
    socket->path = std::filesystem::absolute(socket->path).lexically_normal().string();
  }
  std::vector<std::string> words = {"--gdb", debug::gdb::to_string(address)};
  if (debug.wait) words.emplace_back("--gdb-wait");
  return words;
}

}  // namespace

Result<os::ChildProcess> start_vmm(VmEntry& vm, Lifetime lifetime, const DebugWish& debug) {
  if (vm.directory.in_use()) return Error(ErrorCode::kBusy, "VM " + vm.config.name + " runs already");
  const std::vector<std::string> gdb = TRY(gdb_words(debug));
  TRY(renew_ports(vm));
  const int death_signal = lifetime == Lifetime::kForeground ? SIGTERM : 0;
  os::ChildProcess child = TRY(host::spawn_vmm(vm.directory, {.options = gdb, .parent_death_signal = death_signal}));
  while (true) {
    const std::optional<os::ExitStatus> ended = TRY(child.poll());
    const vmm::VmState state = vm.directory.state();
    if (ended && guest_ran(vm, *ended)) return child;
    if (ended) return start_error(vm, *ended);
    if (state.pid == child.pid() && state.phase == vmm::VmPhase::kRunning) return child;
    if (interrupted()) child.signal(SIGTERM);
    std::this_thread::sleep_for(kPoll);
  }
}

SshWait wait_for_ssh(const VmEntry& vm, std::chrono::seconds timeout) {
  ProgressLine progress;
  const auto deadline = Clock::now() + timeout;
  while (Clock::now() < deadline) {
    if (interrupted()) return SshWait::kInterrupted;
    if (!vm.directory.in_use()) return SshWait::kEnded;
    progress.update("booting " + vm.config.name, {}, console_end(vm.directory.console_log()));
    const Result<std::string> banner = os::read_banner(vm.config.ssh_port(), kBannerPatience);
    if (banner && banner->starts_with("SSH-")) return SshWait::kAnswers;
    std::this_thread::sleep_for(kPoll);
  }
  return SshWait::kTimeout;
}

bool wait_for_end(const VmEntry& vm, std::chrono::seconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (vm.directory.in_use()) {
    if (Clock::now() >= deadline || interrupted()) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

void print_gdb(const DebugWish& debug) {
  const Result<debug::gdb::Address> address = debug::gdb::parse_address(debug.gdb);
  if (!address) return;
  const auto* socket = std::get_if<debug::gdb::UnixAddress>(&*address);
  const std::string place =
      socket != nullptr ? socket->path : "127.0.0.1:" + std::to_string(std::get<debug::gdb::TcpAddress>(*address).port);
  std::printf("%s GDB: gdb -ex 'target remote %s'\n", debug.wait ? "The guest waits for" : "To debug the guest with",
              place.c_str());
  std::fflush(stdout);
}

void print_login(const VmEntry& vm) {
  const std::string& name = vm.config.name;
  std::printf("VM %s answers. To log in:\n\n  pileus vm ssh %s\n\nor, with any SSH client:\n\n ", name.c_str(),
              name.c_str());
  for (const std::string& word : ssh_command(vm, {})) std::printf(" %s", word.c_str());
  std::printf("\n\n");
  std::fflush(stdout);
}

}  // namespace pileus::cli
