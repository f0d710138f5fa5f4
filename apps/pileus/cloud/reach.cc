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
  command.push_back((words.user.empty() ? login_user(library, instance) : words.user) + "@" + address.host);
  command.insert(command.end(), words.command.begin(), words.command.end());
  return command;
}

Result<> wait_for_login(const client::Cloud& cloud, const InstanceInfo& instance, std::chrono::seconds patience) {
  const SshAddress address = TRY(ssh_address(instance));
  if (!os::is_loopback(address.host)) return {};  // not ours to reach: the client knows how
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
  return become(TRY(
      ssh_command(library, instance, {.user = line.run.user, .identity = line.run.ssh_key, .command = line.words})));
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

Result<int> cloud_logs(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.name));
  const client::Answer answer = TRY(cloud.call("GetConsoleOutput", {{"InstanceId", instance.id}}));
  const std::optional<std::string> text = http::decode_base64(answer.root.text("output"));
  if (!text) return Error(ErrorCode::kCorrupt, "the console's output cannot be read");
  std::fwrite(text->data(), 1, text->size(), stdout);
  return 0;
}

}  // namespace pileus::cli
