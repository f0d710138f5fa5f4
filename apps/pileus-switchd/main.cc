// pileus-switchd: the virtual switch of one host.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/log.h"
#include "options.h"
#include "os/daemon.h"
#include "vswitch/control.h"

namespace pileus::switchd {
namespace {

// Each connection of a guest to the world is a socket of ours.
void allow_many_descriptors() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<int> serve(const Options& options) {
  const std::filesystem::path folder = std::filesystem::absolute(options.data);
  TRY(os::make_directories(folder));
  const Result<os::FileLock> alone = os::take_pid_file(folder / "daemon.lock");
  if (!alone) return Error(ErrorCode::kBusy, "another pileus-switchd uses " + options.data);
  allow_many_descriptors();
  const std::unique_ptr<os::EventLoop> loop = TRY(os::EventLoop::create());
  const std::unique_ptr<vswitch::Controlled> controlled = TRY(vswitch::Controlled::create(*loop, folder));
  std::printf("switch in %s\n", folder.c_str());
  std::fflush(stdout);
  std::thread end([&] {
    while (!os::wait_for_end(std::chrono::hours(1))) {
    }
    loop->stop();
  });
  loop->run();
  end.join();
  log::info("ending; the VMs wait for the next switch");
  return 0;
}

int main_of(int argc, char** argv) {
  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  return os::run_daemon("pileus-switchd", [&] { return serve(std::get<Options>(parsed)); });
}

}  // namespace
}  // namespace pileus::switchd

int main(int argc, char** argv) { return pileus::switchd::main_of(argc, argv); }
