#include "image/builder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <sstream>
#include <thread>

#include "image/package_sources.h"
#include "os/child_process.h"
#include "os/directory.h"
#include "os/unix_socket.h"

namespace pileus::image {
namespace {

// Files younger than this get this date, so that two builds of equal packages are equal:
// 2025-01-01.
constexpr const char* kSourceDate = "1735689600";
constexpr std::size_t kLongestLine = 1 << 20;
constexpr int kPollMs = 200;
constexpr int kGracePolls = 100;

struct Phase {
  std::string_view begins;  // of a line that mmdebstrap prints
  std::string_view text;
  double fraction;
};
constexpr std::array kPhases = {
    Phase{"I: running apt-get update", "reading package lists", 0.02},
    Phase{"I: downloading packages", "downloading the base system", 0.08},
    Phase{"I: extracting archives", "unpacking the base system", 0.16},
    Phase{"I: installing essential", "installing the base system", 0.20},
    Phase{"I: installing remaining", "downloading and installing packages", 0.30},
    Phase{"I: running --customize-hook", "configuring the system", 0.80},
    Phase{"I: cleaning package lists", "cleaning up", 0.84},
    Phase{"I: creating tarball", "packing", 0.86},
};

class Build {
 public:
  Build(Library& library, const Recipe& recipe, const BuildOptions& options, std::filesystem::path work,
        std::filesystem::path log)
      : library_(library), recipe_(recipe), options_(options), work_(std::move(work)), log_path_(std::move(log)) {}

  Result<ImageInfo> run() {
    log_ = TRY(os::open_file(log_path_, O_WRONLY | O_CREAT | O_TRUNC));
    TRY(bootstrap());
    TRY(assemble());
    const ImageInfo info = TRY(describe());
    TRY(os::replace_file(work_ / "image.json", encode_image_info(info)));
    for (const char* leftover : {"root-uuid", "packages", "sources.list", "sources.sources", "tmp"}) {
      TRY(os::remove_all(work_ / leftover));
    }
    TRY(os::give_to_owner_of_parent(work_));
    TRY(os::rename(work_, library_.images() / options_.name));
    report("done", 1);
    return info;
  }

 private:
  void report(std::string_view what, double fraction) const {
    if (options_.progress) options_.progress(what, fraction);
  }
  bool cancelled() const { return options_.cancelled != nullptr && options_.cancelled->load(); }

  Result<> bootstrap();
  Result<> assemble();
  Result<ImageInfo> describe() const;
  Result<std::vector<std::string>> mmdebstrap_command() const;
  Result<> run_logged(const os::ChildProcess::Options& options, const std::string& what);
  Result<> follow_output(os::ChildProcess& child, int pipe);
  void follow(const std::string& line) const;

  Library& library_;
  const Recipe& recipe_;
  const BuildOptions& options_;
  std::filesystem::path work_;
  std::filesystem::path log_path_;
  os::Fd log_;
};

void Build::follow(const std::string& line) const {
  for (const Phase& phase : kPhases) {
    if (line.starts_with(phase.begins)) report(phase.text, phase.fraction);
  }
}

// Runs to the end, its messages going into the log and past follow().
Result<> Build::run_logged(const os::ChildProcess::Options& options, const std::string& what) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe");
  const os::Fd read_end(ends[0]);
  os::Fd write_end(ends[1]);
  os::ChildProcess::Options with_pipe = options;
  with_pipe.new_session = true;  // Ctrl-C comes to us; we pass it on once
  with_pipe.stderr_fd = write_end.get();
  if (with_pipe.stdout_fd < 0) with_pipe.stdout_fd = write_end.get();
  os::ChildProcess child = TRY(os::ChildProcess::spawn(with_pipe));
  write_end.reset();

  TRY(follow_output(child, read_end.get()));
  const os::ExitStatus status = TRY(child.wait());
  if (cancelled()) return Error(ErrorCode::kBusy, "interrupted; nothing was left behind");
  if (status.success()) return {};
  return Error(ErrorCode::kIo, what + " failed (" + status.describe() + "): " + log_path_.string() + " says why");
}

// Until the other end is closed. Once cancelled, all of the child's processes are asked to end, and
// after a while made to.
Result<> Build::follow_output(os::ChildProcess& child, int pipe) {
  os::LineBuffer lines(kLongestLine);
  int polls_since_cancelled = 0;
  std::array<char, 4096> chunk;
  while (true) {
    if (cancelled()) {
      if (polls_since_cancelled == 0) child.signal_session(SIGTERM);
      if (polls_since_cancelled++ == kGracePolls) child.signal_session(SIGKILL);
    }
    pollfd entry = {.fd = pipe, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, kPollMs) <= 0) {
      report("", 0);
      continue;
    }
    const ssize_t got = ::read(pipe, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    const std::string_view text(chunk.data(), static_cast<std::size_t>(got));
    TRY(os::write_all(log_.get(), text));
    if (!lines.append(text)) lines = os::LineBuffer(kLongestLine);
    while (std::optional<std::string> line = lines.next()) follow(*line);
  }
}

Result<std::vector<std::string>> Build::mmdebstrap_command() const {
  std::string packages;
  for (const std::string& name : parse_package_list(recipe_.packages)) {
    packages += (packages.empty() ? "" : ",") + name;
  }
  std::vector<std::string> command = {"mmdebstrap",
                                      "--variant=minbase",
                                      "--format=tar",
                                      "--include=" + packages,
                                      "--essential-hook=" + std::string(recipe_.early_hook),
                                      "--customize-hook=" + std::string(recipe_.setup_hook),
                                      std::string(recipe_.suite),
                                      "-"};
  if (options_.allow_expired) command.insert(command.begin() + 1, "--aptopt=Acquire::Check-Valid-Until \"false\"");
  const Result<std::string> os_release = os::read_file("/etc/os-release");
  const PackageSources sources = host_sources("/etc/apt", recipe_.suite, os_release.ok() ? own_suite(*os_release) : "");
  if (!sources.one_line.empty()) {
    TRY(os::replace_file(work_ / "sources.list", sources.one_line));
    command.push_back((work_ / "sources.list").string());
  }
  if (!sources.deb822.empty()) {
    TRY(os::replace_file(work_ / "sources.sources", sources.deb822));
    command.push_back((work_ / "sources.sources").string());
  }
  return command;
}

Result<> Build::bootstrap() {
  report("reading package lists", 0.01);
  const os::Fd tar = TRY(os::open_file(work_ / "rootfs.tar", O_WRONLY | O_CREAT | O_EXCL));
  os::ChildProcess::Options options;
  options.parent_death_signal = SIGTERM;  // which mmdebstrap answers by cleaning up
  options.environment = {{"SOURCE_DATE_EPOCH", kSourceDate}, {"LC_ALL", "C"}};
  if (::geteuid() == 0) {
    // Removed with the work folder, and not in a /tmp that may be small. Other modes need a folder
    // that their mapped users may enter.
    TRY(os::make_directories(work_ / "tmp"));
    options.environment.emplace_back("TMPDIR", (work_ / "tmp").string());
    // When we are killed, nothing of it goes on and nothing stays mounted. (As a user, mmdebstrap does so itself.)
    options.argv = {"unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"};
    options.parent_death_signal = SIGKILL;
  }
  const std::vector<std::string> command = TRY(mmdebstrap_command());
  options.argv.insert(options.argv.end(), command.begin(), command.end());
  options.stdout_fd = tar.get();
  return run_logged(options, "mmdebstrap");
}

Result<> Build::assemble() {
  report("writing the disk", 0.90);
  os::ChildProcess::Options options;
  // As a user, fakeroot remembers for tar and mke2fs who owns what.
  if (::geteuid() != 0) options.argv = {"fakeroot", "--"};
  for (const std::string& word : {std::string("sh"), std::string("-c"), std::string(assemble_script()),
                                  std::string("assemble"), work_.string(), std::to_string(recipe_.disk_bytes)}) {
    options.argv.push_back(word);
  }
  options.environment = {{"E2FSPROGS_FAKE_TIME", kSourceDate}};
  options.parent_death_signal = SIGTERM;
  return run_logged(options, "making the disk");
}

Result<ImageInfo> Build::describe() const {
  ImageInfo info;
  info.name = options_.name;
  info.description = recipe_.description;
  info.login_user = recipe_.login_user;
  info.disk_bytes = recipe_.disk_bytes;
  info.root_uuid = TRY(os::read_file(work_ / "root-uuid"));
  std::istringstream lines(TRY(os::read_file(work_ / "packages")));
  for (std::string line; std::getline(lines, line);) info.packages.push_back(line);
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text = {};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  info.created = text.data();
  return info;
}

Result<os::FileLock> wait_for_lock(const std::filesystem::path& path, const BuildOptions& options) {
  bool told = false;
  while (true) {
    Result<os::FileLock> lock = os::FileLock::try_acquire(path);
    if (lock || lock.error().code() != ErrorCode::kBusy) return lock;
    if (options.progress && !std::exchange(told, true)) options.progress("waiting for another build of it", 0);
    if (options.cancelled != nullptr && options.cancelled->load()) {
      return Error(ErrorCode::kBusy, "interrupted while waiting for another build");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
  }
}

// What a killed build left. Only called with the lock held.
Result<> remove_leftovers(const std::filesystem::path& images, const std::string& prefix) {
  std::vector<std::filesystem::path> doomed;
  std::error_code ignored;  // what cannot be read has nothing to remove
  for (const auto& entry : std::filesystem::directory_iterator(images, ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) doomed.push_back(entry.path());
  }
  for (const std::filesystem::path& path : doomed) TRY(os::remove_all(path));
  return {};
}

}  // namespace

Result<ImageInfo> build(Library& library, const Recipe& recipe, const BuildOptions& options) {
  TRY(check_name(options.name));
  const os::FileLock lock = TRY(wait_for_lock(library.images() / ("." + options.name + ".lock"), options));
  Result<ImageInfo> present = library.find(options.name);
  if (present) return present;
  const std::string prefix = "." + options.name + ".building-";
  TRY(remove_leftovers(library.images(), prefix));
  os::TemporaryDirectory work = TRY(os::TemporaryDirectory::create(library.images() / prefix));
  Build build(library, recipe, options, work.path(), library.images() / ("." + options.name + ".log"));
  return build.run().with("build image " + options.name);
}

}  // namespace pileus::image
