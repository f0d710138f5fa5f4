#include "foreign/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "os/fd.h"

namespace pileus::foreign {
namespace {

constexpr std::size_t kKeptText = 256 * kKiB;
constexpr int kBetweenLooksMs = 200;
constexpr const char* kLimiter = "/usr/bin/prlimit";
constexpr std::string_view kSandboxSays = "bwrap: ";

std::vector<std::string> command(const Sandbox& sandbox, const std::vector<std::string>& argv) {
  std::vector<std::string> words = {
      "bwrap", "--unshare-user", "--unshare-pid", "--unshare-net",     "--unshare-ipc", "--uid",
      "65534", "--gid",          "65534",         "--die-with-parent", "--clearenv"};
  const auto show = [&words](const char* how, const std::filesystem::path& file, const std::string& name) {
    words.insert(words.end(), {how, file.string(), name});
  };
  for (const char* folder : {"/usr/lib", "/usr/lib64"}) show("--ro-bind", folder, folder);
  show("--symlink", "usr/lib", "/lib");
  show("--symlink", "usr/lib64", "/lib64");
  for (const std::string& program : {std::string(kLimiter), argv.at(0)}) show("--ro-bind", program, program);
  show("--dev-bind", "/dev/null", "/dev/null");
  show("--ro-bind", sandbox.input, Sandbox::kInput);
  if (!sandbox.output.empty()) show("--bind", sandbox.output, Sandbox::kOutput);
  words.insert(words.end(), {"--remount-ro", "/", "--", kLimiter, "--as=" + std::to_string(sandbox.address_space),
                             "--cpu=" + std::to_string(sandbox.processor_time.count()),
                             "--fsize=" + std::to_string(sandbox.output_limit), "--core=0", "--"});
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

// Until all who may print have ended. False: `watch` has said so.
Result<bool> read_to_end(int fd, std::string& text, const Watch& watch) {
  std::array<char, 4096> chunk;
  while (true) {
    struct pollfd ready = {fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, kBetweenLooksMs);
    if (count < 0 && errno != EINTR) return Error::from_errno("wait for a program in a sandbox");
    if (count > 0) {
      const ssize_t got = ::read(fd, chunk.data(), chunk.size());
      if (got < 0 && errno != EINTR) return Error::from_errno("read from a program in a sandbox");
      if (got == 0) return true;
      if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
      if (text.size() > kKeptText) text.erase(0, text.size() - kKeptText);
    }
    if (watch && !watch(text)) return false;
  }
}

}  // namespace

Result<os::Output> run_sandboxed(const Sandbox& sandbox, const std::vector<std::string>& argv, const Watch& watch) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe");
  const os::Fd read_end(ends[0]);
  os::Fd write_end(ends[1]);
  os::ChildProcess::Options options;
  options.argv = command(sandbox, argv);
  options.stdout_fd = options.stderr_fd = write_end.get();
  options.new_session = true;
  options.drop_ambient = true;
  options.parent_death_signal = SIGKILL;
  Result<os::ChildProcess> child = os::ChildProcess::spawn(options);
  write_end.reset();
  os::Output output;
  if (child) {
    if (!TRY(read_to_end(read_end.get(), output.text, watch))) return Error(ErrorCode::kGone, "given up");
    output.status = TRY(child->wait());
    if (output.status.success() || !output.text.starts_with(kSandboxSays)) return output;
  }
  const std::string why = child ? output.text.substr(kSandboxSays.size(), output.text.find('\n') - kSandboxSays.size())
                                : child.error().message();
  return Error(
      ErrorCode::kUnsupported,
      "this host cannot make the sandbox in which disks are converted (" + why +
          "): it needs bubblewrap, qemu-utils and the right to make user namespaces; raw disks need none of it");
}

}  // namespace pileus::foreign
