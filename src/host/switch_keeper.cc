#include "host/switch_keeper.h"

#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "host/metadata.h"
#include "host/switch_rules.h"
#include "os/child_process.h"
#include "os/daemon.h"
#include "vswitch/control.h"

namespace pileus::host {
namespace {

constexpr std::chrono::seconds kAskAgain{2};
constexpr std::chrono::seconds kStartPatience{10};
constexpr std::chrono::seconds kEndPatience{10};
constexpr std::chrono::milliseconds kPoll{20};

Error unreadable(const std::string& what, const std::string& text) {
  return {ErrorCode::kCorrupt, "the cloud gave a " + what + " that cannot be read: " + text};
}

// All forwards as the VM's configuration has them, whoever carries them out.
std::vector<vswitch::Mapping> mappings_of(const LocalVm& vm) {
  std::vector<vswitch::Mapping> mappings;
  const Result<vmm::VmConfig> config = vm.directory().config();
  if (!config) return mappings;
  for (const vmm::PortForward& each : config->forwards) {
    mappings.push_back({.host_address = each.address, .host_port = each.host_port, .guest_port = each.guest_port});
  }
  return mappings;
}

}  // namespace

Result<> SwitchKeeper::update(const std::vector<control::Assignment>& assignments,
                              const std::map<model::InstanceId, LocalVm>& vms, bool news, Time now) {
  const bool missing = std::ranges::any_of(assignments, [this](const control::Assignment& each) {
    return each.observed.state == model::InstanceState::kPending && !places_.contains(each.desired.id);
  });
  if (news || missing || now - asked_ >= kAskAgain) {
    const std::string body = TRY(cloud_.network());
    network_ = TRY(control::parse_host_network(body));
    asked_ = now;
  }
  const bool runs = os::FileLock::held(folder_ / "daemon.lock");
  if (network_.ports.empty() && !runs) return {};
  if (!runs) {
    TRY(start());
    applied_.clear();
  }
  const vswitch::Config config = TRY(wanted(assignments, vms));
  std::string encoded = vswitch::encode(config);
  if (encoded == applied_) return {};
  const auto problems = TRY(vswitch::apply_to_switch(folder_, config));
  for (const auto& [port, why] : problems) log::warn("virtual switch, {}: {}", port, why);
  applied_ = std::move(encoded);
  places_.clear();
  for (const control::NetworkPort& each : network_.ports) {
    places_[each.instance] = {.socket = (folder_ / "ports" / (each.interface.text() + ".port")).string(),
                              .mac = each.mac};
  }
  return {};
}

Result<> SwitchKeeper::start() {
  TRY(os::make_directories(folder_));
  const os::Fd log = TRY(os::open_file(folder_ / "daemon.log", O_WRONLY | O_CREAT | O_APPEND, 0600));
  os::ChildProcess::Options options;
  options.argv = {os::program_beside("pileus-switchd"), "--data", folder_.string()};
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  options.new_session = true;
  os::ChildProcess child = TRY(os::ChildProcess::spawn(options));
  const Time deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (!vswitch::ask_switch_stats(folder_)) {
    const bool ended = TRY(child.poll()).has_value();
    if (ended || std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kIo, "pileus-switchd did not start: " + (folder_ / "daemon.log").string() + " says why");
    }
    std::this_thread::sleep_for(kPoll);
  }
  child.detach();
  return {};
}

Result<vswitch::Config> SwitchKeeper::wanted(const std::vector<control::Assignment>& assignments,
                                             const std::map<model::InstanceId, LocalVm>& vms) const {
  vswitch::Config config;
  config.tunnel = tunnel_;
  for (const auto& [number, blocks] : network_.networks) {
    for (const std::string& text : blocks) {
      const auto cidr = packet::parse_cidr(text);
      if (!cidr) return unreadable("network", text);
      config.networks[number].push_back(*cidr);
    }
  }
  for (const control::NetworkGroup& group : network_.groups) {
    config.groups[group.record.id.text()] = TRY(switch_group(group));
  }
  for (const control::NetworkPort& each : network_.ports) {
    vswitch::Port port = TRY(switch_port(each));
    const auto vm = vms.find(each.instance);
    if (vm != vms.end()) port.mappings = mappings_of(vm->second);
    for (const control::Assignment& assignment : assignments) {
      if (assignment.desired.id != each.instance) continue;
      port.host_name = host_name(each.address, each.instance);
      const std::string address = vm == vms.end() ? std::string() : vm->second.public_address();
      port.metadata = metadata_of(assignment, network_, each, address);
    }
    config.ports[port.id] = std::move(port);
  }
  for (const control::RemoteGuest& each : network_.remotes) config.remotes.push_back(TRY(switch_remote(each)));
  return config;
}

std::optional<SwitchPlace> SwitchKeeper::place_of(model::InstanceId id) const {
  const auto found = places_.find(id);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

Result<> SwitchKeeper::end() { return os::end_daemon(folder_ / "daemon.lock", kEndPatience); }

}  // namespace pileus::host
