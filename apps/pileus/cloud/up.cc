// up, status, down: the daemons of a whole cloud on this machine.
#include <signal.h>

#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/daemons.h"
#include "cloud/session.h"
#include "cloud/web.h"
#include "interrupt.h"
#include "os/child_process.h"
#include "os/daemon.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kPoll{100};
constexpr std::chrono::seconds kEndPatience{60};

std::optional<client::Cloud> answering_cloud(const image::Library& library) {
  Result<client::Settings> settings = client::read_settings(known_settings_file(library));
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
  std::vector<std::string> words = {"--port",      std::to_string(options.port),
                                    "--host-port", std::to_string(options.port == 0 ? 0 : options.port + 1),
                                    "--simulate",  std::to_string(options.simulate)};
  if (!options.hosts_at.empty()) words.insert(words.end(), {"--host-address", options.hosts_at});
  if (!options.placement.empty()) words.insert(words.end(), {"--placement", options.placement});
  os::ChildProcess child = TRY(spawn(manager, words));
  TRY(wait_until(manager, child, "starting the cloud manager", [&] {
    std::error_code error;
    const auto now = fs::last_write_time(settings, error);
    return !error && (before_error || now != before) && fs::exists(manager.folder / "hosts-url");
  }));
  const client::Settings found = TRY(client::read_settings(settings));
  TRY(client::write_settings(client_settings_file(library), found));
  return child;
}

Result<os::ChildProcess> start_host(const image::Library& library, const CloudOptions& options) {
  const Daemon host = host_of(library);
  const fs::path manager = manager_of(library).folder;
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  const std::string url = TRY(os::read_file(manager / "hosts-url"));
  const std::string token = TRY(os::read_file(manager / "join-token"));
  std::vector<std::string> words = {"--cloud", first_line(url), "--token", first_line(token)};
  if (!options.hosts_at.empty()) words.insert(words.end(), {"--tunnel", tunnel_at(options.hosts_at)});
  os::ChildProcess child = TRY(spawn(host, words));
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
  const std::string console = console_address(settings);
  if (!console.empty()) std::printf("In a browser: %s (`pileus web` prints a link that signs in)\n\n", console.c_str());
  std::fflush(stdout);
}

// What to type on another machine.
Result<> print_join(const image::Library& library, const client::Settings& settings) {
  const client::Cloud cloud = TRY(client::Cloud::connect(settings));
  const client::Answer made = TRY(cloud.call("PileusCreateJoinToken", {}));
  std::string url = TRY(os::read_file(manager_of(library).folder / "hosts-url"));
  url.erase(std::min(url.find('\n'), url.size()));
  constexpr std::string_view kScheme = "https://";
  std::printf(
      "Another machine becomes a host of this cloud, until %s, by:\n\n  pileus join %s --token %s\n\n"
      "`pileus host token create` makes another token.\n\n",
      made.root.text("expiresAt").c_str(), url.substr(std::min(kScheme.size(), url.size())).c_str(),
      made.root.text("token").c_str());
  std::fflush(stdout);
  return {};
}

}  // namespace

Result<int> cloud_up(image::Library& library, const CommandLine& line) {
  TRY(check_not_services(library));
  catch_interrupts();
  std::optional<os::ChildProcess> manager;
  std::optional<os::ChildProcess> host;
  if (!manager_of(library).runs()) {
    manager = TRY(start_manager(library, line.cloud));
    if (line.run.detach) manager->detach();
  }
  if (!host_of(library).runs()) {
    host = TRY(start_host(library, line.cloud));
    if (line.run.detach) host->detach();
  }
  const client::Settings settings = TRY(client::read_settings(known_settings_file(library)));
  print_up(settings);
  if (!line.cloud.hosts_at.empty()) TRY(print_join(library, settings));
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
  const std::string console = cloud ? console_address(cloud->settings()) : std::string();
  const std::string start = library.is_of_services() ? "systemctl start pileus-cloudd" : "pileus up --detach";
  if (line.json) {
    print_json({{"manager", manager},
                {"host", host},
                {"answers", cloud.has_value()},
                {"endpoint", endpoint},
                {"console", console},
                {"hosts_ready", hosts}});
  } else {
    print_table({{"cloud manager", manager ? "runs" : "does not run: `" + start + "` starts it"},
                 {"host", host ? "runs" : "does not run"},
                 {"API", cloud ? endpoint : "does not answer"},
                 {"web console", console.empty() ? "none" : console},
                 {"hosts ready", std::to_string(hosts)},
                 {"folder", cloud_folder(library).string()}});
  }
  return cloud ? 0 : kFailure;
}

Result<int> cloud_down(image::Library& library, const CommandLine&) {
  TRY(check_not_services(library));
  for (const Daemon& daemon : {host_of(library), manager_of(library)}) {
    TRY(os::end_daemon(daemon.lock(), kEndPatience).with(daemon.program));
  }
  return 0;
}

}  // namespace pileus::cli
