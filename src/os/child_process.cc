#include "os/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>

#include "os/fd.h"

namespace pileus::os {
namespace {

ExitStatus decode_status(int status) {
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

std::vector<std::string> merged_environment(const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : additions) replaced |= text.starts_with(name + "=");
    if (!replaced) merged.push_back(text);
  }
  for (const auto& [name, value] : additions) merged.push_back(std::string(name).append("=").append(value));
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// In the child: only async-signal-safe calls from here on. Reports a failure's errno through
// `report_fd`.
[[noreturn]] void run_child(const ChildProcess::Options& options, const char* program, char* const* argv,
                            char* const* envp, int null_fd, pid_t parent, int report_fd) {
  const auto fail = [report_fd] {
    const int reason = errno;
    (void)!::write(report_fd, &reason, sizeof reason);
    ::_exit(127);
  };
  if (options.new_session) ::setsid();
  if (options.drop_ambient) ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (options.parent_death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
    if (::getppid() != parent) ::_exit(127);  // it died before the request
  }
  // Sources are first moved out of the way of the three targets.
  std::array<int, 3> sources = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
  for (int& source : sources) {
    source = ::fcntl(source >= 0 ? source : null_fd, F_DUPFD_CLOEXEC, 10);
    if (source < 0) fail();
  }
  for (int target = 0; target < 3; ++target) {
    if (::dup2(sources[static_cast<std::size_t>(target)], target) < 0) fail();
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(program, argv, envp);
  fail();
  ::_exit(127);
}

}  // namespace

std::string ExitStatus::describe() const {
  if (signal != 0) return "signal " + std::to_string(signal);
  return "exit status " + std::to_string(code);
}

std::string program_beside(const std::string& name) {
  std::error_code ignored;  // then PATH decides
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path beside = self.parent_path() / name;
  return !self.empty() && std::filesystem::exists(beside, ignored) ? beside.string() : name;
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = ::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "/usr/bin:/bin" : path) +
                             ":/usr/local/sbin:/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = (std::filesystem::path(folder) / name).string();
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

Result<ChildProcess> ChildProcess::spawn(const Options& options) {
  const std::optional<std::string> program = find_program(options.argv.at(0));
  if (!program) return Error(ErrorCode::kNotFound, options.argv[0] + " is not installed");
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = merged_environment(options.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const Fd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::array<int, 2> report = {-1, -1};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe");
  const Fd report_read(report[0]);
  Fd report_write(report[1]);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno("fork");
  if (pid == 0) {
    run_child(options, program->c_str(), argv.data(), envp.data(), null_fd.get(), parent, report_write.get());
  }
  ChildProcess child(pid);
  report_write.reset();
  int reason = 0;
  ssize_t got = 0;
  do {
    got = ::read(report_read.get(), &reason, sizeof reason);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof reason) {
    (void)child.wait();
    return Error::from_errno("start " + *program, reason);
  }
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

void ChildProcess::signal_session(int number) {
  if (pid_ > 0) ::kill(-pid_, number);
}

Result<ExitStatus> ChildProcess::wait() {
  if (ended_) return *ended_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return Error::from_errno("wait for a child process");
  }
  pid_ = -1;
  ended_ = decode_status(status);
  return *ended_;
}

Result<std::optional<ExitStatus>> ChildProcess::poll() {
  if (ended_) return ended_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended < 0) return Error::from_errno("wait for a child process");
  if (ended == 0) return std::optional<ExitStatus>();
  pid_ = -1;
  ended_ = decode_status(status);
  return ended_;
}

Result<Output> run_program(const std::vector<std::string>& argv,
                           const std::vector<std::pair<std::string, std::string>>& environment, std::size_t limit) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe");
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  ChildProcess child = TRY(ChildProcess::spawn(
      {.argv = argv, .environment = environment, .stdout_fd = write_end.get(), .stderr_fd = write_end.get()}));
  write_end.reset();
  Output output;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t got = ::read(read_end.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    output.text.append(chunk.data(), static_cast<std::size_t>(got));
    if (output.text.size() > limit) output.text.erase(0, output.text.size() - limit);
  }
  output.status = TRY(child.wait());
  return output;
}

}  // namespace pileus::os
