// join: this machine becomes a host of a cloud that another machine manages.
#include <signal.h>

#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/daemons.h"
#include "interrupt.h"
#include "os/tcp.h"

namespace pileus::cli {
namespace {

constexpr const char* kUsualPort = "8774";
constexpr std::chrono::milliseconds kPoll{100};

}  // namespace

std::string tunnel_at(const std::string& address) {
  constexpr const char* kVxlanPort = "4789";
  return address + ":" + kVxlanPort;
}

Result<int> cloud_join(image::Library& library, const CommandLine& line) {
  TRY(check_not_services(library));
  catch_interrupts();
  const Daemon host = host_of(library);
  if (host.runs()) return Error(ErrorCode::kBusy, "this machine is a host already: `pileus down` ends that");
  std::string where = line.name;
  const bool has_port = where.find(':') != std::string::npos;
  const std::string peer = where.substr(0, where.find(':'));
  if (!has_port) where += std::string(":") + kUsualPort;
  const std::string here = line.cloud.hosts_at.empty() ? TRY(os::address_towards(peer)) : line.cloud.hosts_at;
  std::vector<std::string> words = {"--cloud", "https://" + where, "--tunnel", tunnel_at(here)};
  if (!line.cloud.text.empty()) words.insert(words.end(), {"--token", line.cloud.text});
  if (!line.cloud.zone.empty()) words.insert(words.end(), {"--zone", line.cloud.zone});
  if (!line.cloud.rack.empty()) words.insert(words.end(), {"--rack", line.cloud.rack});
  if (!line.cloud.name.empty()) words.insert(words.end(), {"--name", line.cloud.name});
  TRY(os::remove_all(host.folder / "joined"));  // of an earlier time: it is written when we have been let in
  os::ChildProcess child = TRY(spawn(host, words));
  TRY(wait_until(host, child, "joining " + where, [&] { return std::filesystem::exists(host.folder / "joined"); }));
  std::printf("this machine is a host of the cloud at %s; `pileus down` ends that, and `pileus join %s` resumes it\n",
              where.c_str(), line.name.c_str());
  std::fflush(stdout);
  if (line.run.detach) {
    child.detach();
    return 0;
  }
  std::fputs("Ctrl-C ends it; instances go on.\n", stderr);
  while (!interrupted()) {
    if (TRY(child.poll())) return Error(ErrorCode::kIo, "pileus-hostd ended: " + host.log().string() + " says why");
    std::this_thread::sleep_for(kPoll);
  }
  child.signal(SIGTERM);
  TRY(child.wait());
  return 0;
}

}  // namespace pileus::cli
