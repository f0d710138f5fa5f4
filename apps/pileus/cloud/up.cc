// up, status, down: the daemons of a whole cloud on this machine.
#include <fcntl.h>
#include <signal.h>

#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "interrupt.h"
#include "os/child_process.h"
#include "os/daemon.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kPoll{100};
constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kEndPatience{20};

// One daemon of ours: its folder, whose lock says that it runs, and whose pid file says as what.
struct Daemon {
  std::string program;
  fs::path folder;

  fs::path lock() const { return folder / "daemon.lock"; }
  bool runs() const { return os::FileLock::held(lock()); }
  fs::path log() const { return folder / "daemon.log"; }
};

Daemon manager_of(const image::Library& library) { return {"pileus-cloudd", cloud_folder(library) / "manager"}; }
Daemon host_of(const image::Library& library) { return {"pileus-hostd", cloud_folder(library) / "host"}; }

Result<os::ChildProcess> spawn(const Daemon& daemon, std::vector<std::string> words) {
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

std::string last_words(const fs::path& log) {
  const Result<std::string> text = os::read_file(log);
  const std::string line = text ? last_printable_line(*text) : std::string();
  return line.empty() ? "its log is empty: " + log.string() : line;
}

// Waits until `ready`; the daemon's own words when it ends before that.
template <typename Ready>
Result<> wait_until(const Daemon& daemon, os::ChildProcess& child, const std::string& what, Ready ready) {
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

std::optional<client::Cloud> answering_cloud(const image::Library& library) {
  Result<client::Settings> settings = client::read_settings(client_settings_file(library));
  if (!settings) return {};
  Result<client::Cloud> cloud = client::Cloud::connect(std::move(settings).value());
  if (!cloud || !cloud->call("GetCallerIdentity", {})) return {};
  return std::move(cloud).value();
}

u32 ready_hosts(const client::Cloud& cloud) {
  const Result<client::Answer> answer = cloud.call("PileusDescribeHosts", {});
  u32 count = 0;
  if (!answer) return 0;
  for (const client::Node& host : answer->root.items("hostSet")) count += host.text("state") == "ready" ? 1U : 0U;
  return count;
}

Result<os::ChildProcess> start_manager(const image::Library& library, const CloudOptions& options) {
  const Daemon manager = manager_of(library);
  const fs::path settings = manager.folder / "client.json";
  std::error_code before_error;
  const auto before = fs::last_write_time(settings, before_error);
  os::ChildProcess child = TRY(spawn(manager, {"--port", std::to_string(options.port), "--host-port",
                                               std::to_string(options.port == 0 ? 0 : options.port + 1), "--simulate",
                                               std::to_string(options.simulate)}));
  TRY(wait_until(manager, child, "starting the cloud manager", [&] {
    std::error_code error;
    const auto now = fs::last_write_time(settings, error);
    return !error && (before_error || now != before) && fs::exists(manager.folder / "hosts-url");
  }));
  const client::Settings found = TRY(client::read_settings(settings));
  TRY(client::write_settings(client_settings_file(library), found));
  return child;
}

Result<os::ChildProcess> start_host(const image::Library& library) {
  const Daemon host = host_of(library);
  const fs::path manager = manager_of(library).folder;
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  const std::string url = TRY(os::read_file(manager / "hosts-url"));
  const std::string token = TRY(os::read_file(manager / "join-token"));
  os::ChildProcess child = TRY(spawn(host, {"--cloud", first_line(url), "--token", first_line(token)}));
  TRY(wait_until(host, child, "starting the host", [&] {
    const std::optional<client::Cloud> cloud = answering_cloud(library);
    return cloud && ready_hosts(*cloud) > 0;
  }));
  return child;
}

void print_up(const client::Settings& settings) {
  std::printf(
      "The cloud is up: %s\n\n  pileus run debian-12 --name web     an instance, with a login\n"
      "  pileus ps                           what there is\n  eval \"$(pileus env)\"               "
      "for aws, boto3 and others\n\n",
      settings.endpoint.c_str());
  std::fflush(stdout);
}

}  // namespace

Result<int> cloud_up(image::Library& library, const CommandLine& line) {
  catch_interrupts();
  std::optional<os::ChildProcess> manager;
  std::optional<os::ChildProcess> host;
  if (!manager_of(library).runs()) {
    manager = TRY(start_manager(library, line.cloud));
    if (line.run.detach) manager->detach();
  }
  if (!host_of(library).runs()) {
    host = TRY(start_host(library));
    if (line.run.detach) host->detach();
  }
  print_up(TRY(client::read_settings(client_settings_file(library))));
  if (line.run.detach) return 0;
  std::fputs("Ctrl-C ends it; instances go on.\n", stderr);
  while (!interrupted()) std::this_thread::sleep_for(kPoll);
  for (std::optional<os::ChildProcess>* daemon : {&host, &manager}) {
    if (!*daemon) continue;
    (*daemon)->signal(SIGTERM);
    TRY((*daemon)->wait());
  }
  return 0;
}

Result<int> cloud_status(image::Library& library, const CommandLine& line) {
  const std::optional<client::Cloud> cloud = answering_cloud(library);
  const bool manager = manager_of(library).runs();
  const bool host = host_of(library).runs();
  const u32 hosts = cloud ? ready_hosts(*cloud) : 0;
  const std::string endpoint = cloud ? cloud->settings().endpoint : std::string();
  if (line.json) {
    print_json({{"manager", manager},
                {"host", host},
                {"answers", cloud.has_value()},
                {"endpoint", endpoint},
                {"hosts_ready", hosts}});
  } else {
    print_table({{"cloud manager", manager ? "runs" : "does not run: `pileus up --detach` starts it"},
                 {"host", host ? "runs" : "does not run"},
                 {"API", cloud ? endpoint : "does not answer"},
                 {"hosts ready", std::to_string(hosts)},
                 {"folder", cloud_folder(library).string()}});
  }
  return cloud ? 0 : kFailure;
}

Result<int> cloud_down(image::Library& library, const CommandLine&) {
  for (const Daemon& daemon : {host_of(library), manager_of(library)}) {
    TRY(os::end_daemon(daemon.lock(), kEndPatience).with(daemon.program));
  }
  return 0;
}

}  // namespace pileus::cli
