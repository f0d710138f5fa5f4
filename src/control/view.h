// View: hosts and instances as they stand in the store, kept in memory by watching, with the inventory for placement.
//
// It may lag behind; whoever acts on it commits with the revisions it gives, and a commit that fails says that it lagged.
// One thread.
#pragma once

#include <map>

#include "control/records.h"
#include "model/host.h"
#include "placement/decide.h"

namespace pileus::control {

struct InstanceView {
  Stored<model::InstanceDesired> desired;
  Stored<model::InstancePlaced> placed;
  Stored<model::InstanceObserved> observed;
};

struct HostView {
  Stored<model::HostDesired> desired;
  Stored<model::HostObserved> observed;
  Stored<model::HostHealth> health;
  Stored<model::HostClaims> claims;
  state::Revision alive = 0;  // 0: its lease has run out
};

class View {
 public:
  explicit View(state::Store& store) : store_(store) {}

  // Reads all at the first call and after an error; then what has changed since. kGone heals at the next call.
  Result<> sync();
  // What we have just committed, so that it need not come back by the watch first.
  Result<> apply_own(const std::string& key, const std::string& value, state::Revision revision);

  const std::map<model::InstanceId, InstanceView>& instances() const { return instances_; }
  const std::map<model::HostId, HostView>& hosts() const { return hosts_; }
  const placement::Inventory& inventory() const { return inventory_; }
  state::Revision revision() const { return revision_; }

 private:
  Result<> load();
  Result<> apply(const state::KeyValue& entry, bool deleted);
  Result<> apply_instance(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted);
  Result<> apply_host(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted);
  Result<> refresh_host(model::HostId id);
  void refresh_instance(model::InstanceId id);

  state::Store& store_;
  std::unique_ptr<state::Watch> watch_;
  state::Revision revision_ = 0;
  std::map<model::InstanceId, InstanceView> instances_;
  std::map<model::HostId, HostView> hosts_;
  placement::Inventory inventory_;
};

}  // namespace pileus::control
