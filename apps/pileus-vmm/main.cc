// pileus-vmm FOLDER: runs the one VM that the folder describes (src/vmm/vm_directory.h), in the
// foreground. Exit status: see VmExit in src/vmm/vm.h, and --help.
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "base/log.h"
#include "vmm/vm.h"

namespace {

constexpr const char* kHelp =
    "Usage: pileus-vmm FOLDER\n"
    "Runs the VM that FOLDER/config.json describes. `pileus vm run` makes such folders and starts "
    "this program.\n"
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

}  // namespace

int main(int argc, char** argv) {
  using pileus::vmm::VmExit;
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs(kHelp, stderr);
    return static_cast<int>(VmExit::kUsage);
  }
  block_signals();
  const pileus::vmm::VmDirectory directory(std::filesystem::absolute(argv[1]));
  const pileus::Result<int> end = pileus::vmm::run_vm(directory);
  if (end) return *end;
  std::fprintf(stderr, "pileus-vmm: %s\n", end.error().message().c_str());
  return static_cast<int>(end.error().code() == pileus::ErrorCode::kBusy ? VmExit::kBusy : VmExit::kCannotStart);
}
