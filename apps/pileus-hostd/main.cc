// pileus-hostd: the virtualization manager of one host.
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/log.h"
#include "host/capacity.h"
#include "host/service.h"
#include "host/switch_rules.h"
#include "options.h"
#include "os/daemon.h"

namespace pileus::hostd {
namespace {

std::string machine_name() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("host");
}

Result<std::string> first_line(const std::filesystem::path& file) {
  const std::string text = TRY(os::read_file(file));
  return text.substr(0, text.find('\n'));
}

// What the cloud manager of this machine wrote for hosts: URL and token. It may be starting just now.
Result<> ask_manager(Options& options) {
  constexpr std::chrono::minutes kPatience{2};
  constexpr std::chrono::milliseconds kPoll{200};
  const std::filesystem::path folder(options.manager);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    Result<std::string> url = first_line(folder / "hosts-url");
    Result<std::string> token = first_line(folder / "join-token");
    if (url && token) {
      options.cloud = std::move(url).value();
      options.token = std::move(token).value();
      return {};
    }
    const Error& why = url ? token.error() : url.error();
    if (why.code() != ErrorCode::kNotFound) return why;
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, "no pileus-cloudd has come up in " + options.manager);
    }
    if (os::wait_for_end(kPoll)) return Error(ErrorCode::kBusy, "ended while waiting for the cloud manager");
  }
}

Result<host::Membership> find_cloud(Options options) {
  if (!options.manager.empty()) TRY(ask_manager(options));
  const std::vector<std::string> urls = host::split_urls(options.cloud);
  Result<host::Membership> membership = host::read_membership(options.data);
  // It may have moved; its key is the same.
  if (membership && !urls.empty()) membership->urls = urls;
  if (membership || membership.error().code() != ErrorCode::kNotFound) return membership;
  if (urls.empty() || options.token.empty()) {
    return Error(ErrorCode::kInvalid, options.data + " belongs to no cloud yet: give --cloud and --token");
  }
  return host::join(options.data, {.urls = urls,
                                   .token = options.token,
                                   .name = options.name.empty() ? machine_name() : options.name,
                                   .zone = options.zone,
                                   .rack = options.rack});
}

// How this host asks others for layers. Who answers is not looked at: what comes is held against the layer's id.
Result<std::unique_ptr<http::Client>> ask_hosts(const host::Membership& membership) {
  http::ClientOptions options = membership.client_options();
  options.ca.clear();
  options.trust_anyone = true;
  return http::Client::create(options);
}

Result<int> serve(const Options& options) {
  TRY(os::make_directories(options.data));
  const Result<os::FileLock> alone = os::take_pid_file(std::filesystem::path(options.data) / "daemon.lock");
  if (!alone) return Error(ErrorCode::kBusy, "another pileus-hostd uses " + options.data);
  const host::Membership membership = TRY(find_cloud(options));
  const image::Library library = TRY(image::Library::open_default());
  const std::unique_ptr<host::CloudLink> cloud = TRY(host::CloudLink::open(membership));
  const std::optional<vswitch::Endpoint> tunnel = host::parse_endpoint(options.tunnel);
  if (!options.tunnel.empty() && !tunnel) {
    return Error(ErrorCode::kInvalid, "'" + options.tunnel + "' is no address and port like 10.0.0.2:4789");
  }
  std::unique_ptr<http::Client> others = TRY(ask_hosts(membership));
  const std::unique_ptr<host::HostDisks> disks =
      TRY(host::HostDisks::open(library, options.data, *cloud, std::move(others)));
  if (tunnel) TRY(disks->serve_layers(membership, options.tunnel.substr(0, options.tunnel.rfind(':'))));
  const std::unique_ptr<host::Agent> agent = TRY(host::Agent::create(library, options.data, *cloud, tunnel, *disks));
  model::HostObserved capacity = TRY(host::measure(options.data));
  capacity.tunnel = options.tunnel;
  TRY(os::replace_file(std::filesystem::path(options.data) / "joined", membership.id.text() + "\n"));
  std::printf("host %s of %s\n", membership.id.text().c_str(), membership.urls.front().c_str());
  std::fflush(stdout);
  os::tell_ready();
  const host::Service service(*cloud, *agent, *disks, std::move(capacity));
  while (!os::wait_for_end(std::chrono::hours(1))) {
  }
  log::info("ending; the VMs go on");
  return 0;
}

int main_of(int argc, char** argv) {
  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  return os::run_daemon("pileus-hostd", [&] { return serve(std::get<Options>(parsed)); });
}

}  // namespace
}  // namespace pileus::hostd

int main(int argc, char** argv) { return pileus::hostd::main_of(argc, argv); }
