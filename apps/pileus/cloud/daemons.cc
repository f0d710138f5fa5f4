#include "cloud/daemons.h"

#include <fcntl.h>

#include <chrono>
#include <thread>

#include "cloud/session.h"
#include "interrupt.h"
#include "output.h"

namespace pileus::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kPoll{100};
constexpr std::chrono::seconds kStartPatience{60};

std::string last_words(const fs::path& log) {
  const Result<std::string> text = os::read_file(log);
  const std::string line = text ? last_printable_line(*text) : std::string();
  return line.empty() ? "its log is empty: " + log.string() : line;
}

}  // namespace

Daemon manager_of(const image::Library& library) { return {"pileus-cloudd", cloud_folder(library) / "manager"}; }
Daemon host_of(const image::Library& library) { return {"pileus-hostd", cloud_folder(library) / "host"}; }

Result<> check_not_services(const image::Library& library) {
  if (!library.is_of_services()) return {};
  return Error(
      ErrorCode::kPermission,
      "the cloud of " + library.root().string() +
          " is run by services: `systemctl` starts and stops pileus-cloudd and pileus-hostd, and their options are "
          "in /etc/default; for a cloud beside it set PILEUS_HOME");
}

Result<os::ChildProcess> spawn(const Daemon& daemon, const std::vector<std::string>& words) {
  TRY(os::make_directories(daemon.folder));
  const os::Fd log = TRY(os::open_file(daemon.log(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  os::ChildProcess::Options options;
  options.argv = {os::program_beside(daemon.program), "--data", daemon.folder.string()};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  options.new_session = true;
  return os::ChildProcess::spawn(options);
}

Result<> wait_until(const Daemon& daemon, os::ChildProcess& child, const std::string& what,
                    const std::function<bool()>& ready) {
  ProgressLine progress;
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (!ready()) {
    if (TRY(child.poll())) return Error(ErrorCode::kIo, daemon.program + " did not start: " + last_words(daemon.log()));
    if (interrupted()) return Error(ErrorCode::kBusy, "interrupted");
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, what + " takes too long: " + daemon.log().string() + " may say why");
    }
    progress.update(what);
    std::this_thread::sleep_for(kPoll);
  }
  return {};
}

}  // namespace pileus::cli
