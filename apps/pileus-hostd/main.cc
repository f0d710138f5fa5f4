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

Result<host::Membership> find_cloud(const Options& options) {
  Result<host::Membership> membership = host::read_membership(options.data);
  if (membership && !options.cloud.empty()) membership->url = options.cloud;  // it may have moved; its key is the same
  if (membership || membership.error().code() != ErrorCode::kNotFound) return membership;
  if (options.cloud.empty() || options.token.empty()) {
    return Error(ErrorCode::kInvalid, options.data + " belongs to no cloud yet: give --cloud and --token");
  }
  return host::join(options.data, {.url = options.cloud,
                                   .token = options.token,
                                   .name = options.name.empty() ? machine_name() : options.name,
                                   .zone = options.zone,
                                   .rack = options.rack});
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
  const std::unique_ptr<host::Agent> agent = TRY(host::Agent::create(library, options.data, *cloud, tunnel));
  model::HostObserved capacity = TRY(host::measure(options.data));
  capacity.tunnel = options.tunnel;
  TRY(os::replace_file(std::filesystem::path(options.data) / "joined", membership.id.text() + "\n"));
  std::printf("host %s of %s\n", membership.id.text().c_str(), membership.url.c_str());
  std::fflush(stdout);
  const host::Service service(*cloud, *agent, std::move(capacity));
  while (!os::wait_for_end(std::chrono::hours(1))) {
  }
  log::info("ending; the VMs go on");
  return 0;
}

int main_of(int argc, char** argv) {
  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  os::block_signals();
  const Result<int> result = serve(std::get<Options>(parsed));
  if (result) return *result;
  std::fprintf(stderr, "pileus-hostd: %s\n", result.error().message().c_str());
  return 1;
}

}  // namespace
}  // namespace pileus::hostd

int main(int argc, char** argv) { return pileus::hostd::main_of(argc, argv); }
