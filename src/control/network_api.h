// NetworkApi: what each host's virtual switch has to know, put together from the records of instances, interfaces, subnets
// and security groups.
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "control/network_protocol.h"
#include "control/shared_view.h"

namespace pileus::control {

class NetworkApi {
 public:
  explicit NetworkApi(state::Store& store, std::shared_ptr<SharedView> view = {})
      : store_(store), view_(view_or_own(std::move(view), store)) {}

  // A HostNetwork, encoded. Any thread.
  Result<std::string> answer(model::HostId host);

 private:
  // All records of networks, as of one moment: several hosts that ask soon after each other get the same.
  struct Records {
    std::map<model::InstanceId, std::vector<model::InterfaceDesired>> interfaces;
    std::map<model::SubnetId, model::SubnetDesired> subnets;
    std::map<model::VpcId, model::VpcDesired> vpcs;
    std::map<model::SecurityGroupId, model::SecurityGroup> groups;
    std::map<model::VpcId, u32> numbers;
  };
  // Who is where, of those who have not ended.
  struct Places {
    std::string zone;
    std::vector<model::InstanceId> here;
    std::vector<std::pair<model::InstanceId, std::string>> elsewhere;  // with the tunnel of its host
  };
  Result<Places> places_of(model::HostId host);
  Result<> refresh();
  Result<u32> number_of(model::VpcId vpc);
  // `whole` becomes false when records are missing.
  Result<HostNetwork> network_of(const Places& places, bool& whole);
  void add_groups(HostNetwork& network) const;
  void add_remotes(HostNetwork& network, const Places& places) const;

  state::Store& store_;
  const std::shared_ptr<SharedView> view_;
  std::mutex mutex_;  // of all below
  Records records_;
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace pileus::control
