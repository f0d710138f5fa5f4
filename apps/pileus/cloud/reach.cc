#include "cloud/reach.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/remote_console.h"
#include "http/base64.h"
#include "interrupt.h"
#include "login.h"
#include "os/child_process.h"
#include "os/tcp.h"
#include "output.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
// OpenSSH 9.8 and later shut out for a while who connects often and goes before it says anything.
constexpr std::chrono::milliseconds kBannerPatience{5000};
constexpr const char* kUsualUser = "debian";

// The image's name, from the cloud; its user, if this machine has the image too.
std::string login_user(image::Library& library, const InstanceInfo& instance) {
  const Result<client::Cloud> cloud = open_cloud(library);
  if (!cloud) return kUsualUser;
  const Result<client::Answer> answer = cloud->call("DescribeImages", {{"ImageId.1", instance.image}});
  if (!answer || answer->root.items("imagesSet").empty()) return kUsualUser;
  const Result<image::ImageInfo> image = library.find(answer->root.items("imagesSet").front().text("name"));
  return image && !image->login_user.empty() ? image->login_user : kUsualUser;
}

// Whether its host is another machine than this. An administrator is told where an instance is; others are at its host, or
// know the way.
bool lives_elsewhere(const image::Library& library, const InstanceInfo& instance) {
  const std::string host = instance.node.text("placement/hostId");
  const Result<std::string> here = os::read_file(cloud_folder(library) / "host" / "joined");
  if (host.empty() || (!here && here.error().code() != ErrorCode::kNotFound)) return false;
  return !here || here->substr(0, here->find('\n')) != host;
}

std::string host_name(const client::Cloud& cloud, const std::string& id) {
  const Result<client::Answer> answer = cloud.call("PileusDescribeHosts", {{"HostId.1", id}});
  if (!answer || answer->root.items("hostSet").empty()) return id;
  return answer->root.items("hostSet").front().text("name");
}

std::string console_end(const client::Cloud& cloud, const std::string& id) {
  const Result<client::Answer> answer = cloud.call("GetConsoleOutput", {{"InstanceId", id}});
  if (!answer) return {};
  return last_printable_line(http::decode_base64(answer->root.text("output")).value_or(""));
}

}  // namespace

Result<SshAddress> ssh_address(const InstanceInfo& instance) {
  if (instance.state != "running") {
    return Error(ErrorCode::kNotFound, instance.label() + " is " + instance.state + ": `pileus start " +
                                           instance.label() + "` starts a stopped one");
  }
  if (instance.public_address.empty()) {
    return Error(ErrorCode::kNotFound, instance.label() +
                                           " has no address that leads in: its security groups let no port in that is "
                                           "named (`pileus secgroup ls`)");
  }
  SshAddress address;
  const std::size_t colon = instance.public_address.find(':');
  address.host = instance.public_address.substr(0, colon);
  if (colon == std::string::npos) return address;
  const std::string port = instance.public_address.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), address.port);
  return address;
}

Result<std::vector<std::string>> ssh_command(image::Library& library, const InstanceInfo& instance,
                                             const SshWords& words) {
  const SshAddress address = TRY(ssh_address(instance));
  const std::string identity = words.identity.empty() ? TRY(library.own_key()).string() : words.identity;
  const std::filesystem::path known_hosts = cloud_folder(library) / "known_hosts";
  std::vector<std::string> command = {"ssh", "-i", identity, "-p", std::to_string(address.port)};
  for (const std::string& option : {std::string("IdentitiesOnly=yes"), "UserKnownHostsFile=" + known_hosts.string(),
                                    "HostKeyAlias=" + instance.id, std::string("StrictHostKeyChecking=accept-new")}) {
    command.emplace_back("-o");
    command.push_back(option);
  }
  if (!words.jump.empty()) command.insert(command.end(), {"-J", words.jump});
  command.push_back((words.user.empty() ? login_user(library, instance) : words.user) + "@" + address.host);
  command.insert(command.end(), words.command.begin(), words.command.end());
  return command;
}

Result<> wait_for_login(const image::Library& library, const client::Cloud& cloud, const InstanceInfo& instance,
                        std::chrono::seconds patience) {
  const SshAddress address = TRY(ssh_address(instance));
  // Not ours to reach: the client knows how.
  if (!os::is_loopback(address.host) || lives_elsewhere(library, instance)) return {};
  ProgressLine progress;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (interrupted()) return Error(ErrorCode::kBusy, "interrupted; " + instance.label() + " goes on");
    const Result<std::string> banner = os::read_banner(address.port, kBannerPatience, address.host);
    if (banner && banner->starts_with("SSH-")) return {};
    const InstanceInfo now = TRY(find_instance(cloud, instance.id));
    if (now.state != "running") {
      return Error(ErrorCode::kIo,
                   instance.label() + " is " + now.state + (now.reason.empty() ? "" : ": " + printable(now.reason)));
    }
    progress.update("booting " + instance.label(), {}, console_end(cloud, instance.id));
    std::this_thread::sleep_for(kPoll);
  }
  return Error(ErrorCode::kTimeout,
               instance.label() + " does not answer on SSH: `pileus logs " + instance.label() + "` shows its console");
}

void print_login(image::Library& library, const InstanceInfo& instance) {
  std::printf("instance %s answers. To log in:\n\n  pileus ssh %s\n", instance.label().c_str(),
              instance.label().c_str());
  const Result<std::vector<std::string>> command = ssh_command(library, instance, {});
  if (command) {
    std::printf("\nor, with any SSH client:\n\n ");
    for (const std::string& word : *command) std::printf(" %s", word.c_str());
    std::printf("\n");
  }
  std::printf("\n");
  std::fflush(stdout);
}

Result<int> cloud_ssh(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.name));
  const SshWords words{
      .user = line.run.user, .identity = line.run.ssh_key, .jump = line.cloud.jump, .command = line.words};
  const std::vector<std::string> command = TRY(ssh_command(library, instance, words));
  if (words.jump.empty() && os::is_loopback(TRY(ssh_address(instance)).host) && lives_elsewhere(library, instance)) {
    return Error(ErrorCode::kNotFound, instance.label() + " runs on the host " +
                                           host_name(cloud, instance.node.text("placement/hostId")) +
                                           ", and can be reached from there: `pileus ssh " + instance.label() +
                                           " --jump [USER@]HOST` goes through SSH on that host");
  }
  return become(command);
}

Result<int> cloud_console(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.name));
  VmEntry vm{vmm::VmDirectory(cloud_folder(library) / "host" / "instances" / instance.id), {}};
  vm.config.name = instance.label();
  // Here without detours; elsewhere through the cloud.
  const bool here = vm.directory.in_use();
  const ConsoleEnd end = TRY(here ? attach_console(vm, ConsoleKind::kSerial) : attach_remote_console(cloud, instance));
  std::fputs(end == ConsoleEnd::kLeft ? "\nleft the console\n" : "\nthe instance ended\n", stderr);
  return 0;
}

}  // namespace pileus::cli
