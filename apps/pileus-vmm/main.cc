// pileus-vmm [--gdb ADDRESS [--gdb-wait]] FOLDER: runs the one VM that the folder describes (src/vmm/vm_directory.h), in the
// foreground. Exit status: see VmExit in src/vmm/vm.h, and --help.
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "vmm/vm.h"

namespace {

constexpr const char* kHelp =
    "Usage: pileus-vmm [--gdb ADDRESS [--gdb-wait]] FOLDER\n"
    "Runs the VM that FOLDER/config.json describes. `pileus vm run` makes such folders and starts "
    "this program.\n"
    "\n"
    "  --gdb ADDRESS  GDB may debug the guest at unix:PATH or tcp:127.0.0.1:PORT\n"
    "  --gdb-wait     the guest waits for it before its first instruction\n"
    "\n"
    "SIGTERM or SIGINT presses the guest's power button; a second one, or 90 s, ends it for good.\n"
    "\n"
    "Exit status:\n"
    "  0   the guest shut itself down\n"
    "  1   it could not be started; standard error and FOLDER/state.json say why\n"
    "  2   wrong arguments\n"
    "  3   another pileus-vmm runs this VM\n"
    "  10  the guest crashed (triple fault)\n"
    "  11  the engine could not go on\n"
    "  12  it was ended from outside, without the guest's help\n"
    "With an exit port, a guest that writes N to it makes the status N * 2 + 1, modulo 256;\n"
    "\"exit_code\" in FOLDER/state.json is then N itself.\n";

// Before any thread is made, so that all inherit it: these are read from a descriptor.
void block_signals() {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&blocked, number);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

struct Arguments {
  std::string folder;
  std::string gdb;  // empty: none
  bool gdb_wait = false;
};

// Nothing when they are wrong.
std::optional<Arguments> parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--gdb" && i + 1 < words.size()) {
      arguments.gdb = words[++i];
    } else if (words[i] == "--gdb-wait") {
      arguments.gdb_wait = true;
    } else if (words[i].starts_with('-') || !arguments.folder.empty()) {
      return {};
    } else {
      arguments.folder = words[i];
    }
  }
  if (arguments.folder.empty() || (arguments.gdb_wait && arguments.gdb.empty())) return {};
  return arguments;
}

int fail(const pileus::Error& error) {
  using pileus::vmm::VmExit;
  std::fprintf(stderr, "pileus-vmm: %s\n", error.message().c_str());
  return static_cast<int>(error.code() == pileus::ErrorCode::kBusy ? VmExit::kBusy : VmExit::kCannotStart);
}

}  // namespace

int main(int argc, char** argv) {
  using pileus::vmm::VmExit;
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  const std::optional<Arguments> arguments = parse({argv + 1, argv + argc});
  if (!arguments) {
    std::fputs(kHelp, stderr);
    return static_cast<int>(VmExit::kUsage);
  }
  pileus::vmm::RunOptions options;
  if (!arguments->gdb.empty()) {
    pileus::Result<pileus::debug::gdb::Address> address = pileus::debug::gdb::parse_address(arguments->gdb);
    if (!address) return fail(address.error());
    options.gdb = *address;
    options.gdb_wait = arguments->gdb_wait;
  }
  block_signals();
  const pileus::vmm::VmDirectory directory(std::filesystem::absolute(arguments->folder));
  const pileus::Result<int> end = pileus::vmm::run_vm(directory, options);
  return end ? *end : fail(end.error());
}
