// SwitchKeeper: the virtual switch of this host, kept as the cloud and the VMs here need it.
//
// pileus-switchd is a process of its own that outlives us, as VMs do. We start it, tell it what is to be, and end it when no
// VM needs it any more.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "control/network_protocol.h"
#include "host/cloud_link.h"
#include "host/local_vm.h"
#include "vswitch/config.h"

namespace pileus::host {

class SwitchKeeper {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `folder` is the switch's own. `tunnel`: where it takes tunnels of other hosts' switches.
  SwitchKeeper(std::filesystem::path folder, CloudLink& cloud, std::optional<vswitch::Endpoint> tunnel)
      : folder_(std::move(folder)), cloud_(cloud), tunnel_(tunnel) {}

  // Asks the cloud if `news` or if that was some time ago, starts the switch if there is something for it to do, and tells it
  // what has changed. `vms`: those that exist, with their forwards.
  Result<> update(const std::vector<control::Assignment>& assignments, const std::map<model::InstanceId, LocalVm>& vms,
                  bool news, Time now);
  // Where the instance's VM is to be plugged in; nothing while the switch does not know it.
  std::optional<SwitchPlace> place_of(model::InstanceId id) const;
  const std::filesystem::path& folder() const { return folder_; }
  // When no VM is left.
  Result<> end();

 private:
  Result<> start();
  Result<vswitch::Config> wanted(const std::vector<control::Assignment>& assignments,
                                 const std::map<model::InstanceId, LocalVm>& vms) const;

  const std::filesystem::path folder_;
  CloudLink& cloud_;
  const std::optional<vswitch::Endpoint> tunnel_;
  control::HostNetwork network_;
  Time asked_;
  std::string applied_;  // encoded; empty: nothing since we began
  std::map<model::InstanceId, SwitchPlace> places_;
};

}  // namespace pileus::host
