// View: hosts and instances as they stand in the store, kept in memory by watching, with the inventory for placement.
//
// It may lag behind; whoever acts on it commits with the revisions it gives, and a commit that fails says that it lagged.
// One thread; SharedView is one for many.
#pragma once

#include <map>
#include <set>

#include "control/disk_view.h"
#include "control/layer_holders.h"
#include "control/records.h"
#include "model/host.h"
#include "model/network.h"
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
  Stored<model::HostLayers> layers;
  state::Revision alive = 0;  // 0: its lease has run out
};

// What has changed in a view, or is to be looked at for another reason.
struct Changes {
  std::set<model::InstanceId> instances;
  std::set<model::HostId> hosts;
  std::set<model::VolumeId> volumes;
  std::set<model::SnapshotId> snapshots;
};

// What an account has that is not terminated.
struct Usage {
  u64 instances = 0;
  u64 vcpus = 0;
  u64 volume_gib = 0;
  u64 snapshots = 0;  // and those that imports are to make
};

// What the host of an instance is to make of it: down for a migration, whatever its owner wishes, but for its end.
model::Power power_on_host(const InstanceView& instance);

class View {
 public:
  explicit View(state::Store& store) : store_(store) {}

  // Reads all at the first call and after an error; then what has changed since. kGone heals at the next call.
  Result<> sync();
  // What we have just committed, so that it need not come back by the watch first.
  Result<> apply_own(const std::string& key, const std::string& value, state::Revision revision);

  const std::map<model::InstanceId, InstanceView>& instances() const { return instances_; }
  const std::map<model::HostId, HostView>& hosts() const { return hosts_; }
  const DiskView& disks() const { return disks_; }
  // nullptr when it is not there.
  const InstanceView* find(model::InstanceId id) const;
  const HostView* find(model::HostId id) const;
  const model::InterfaceDesired* find(model::InterfaceId id) const;
  const std::set<model::InstanceId>& of_account(const model::AccountId& account) const;
  const std::set<model::InstanceId>& on_host(model::HostId host) const;
  // Those that are moving there; all such hosts.
  const std::set<model::InstanceId>& arriving(model::HostId host) const;
  const std::map<model::HostId, std::set<model::InstanceId>>& arrivals() const { return arriving_; }
  Usage used_by(const model::AccountId& account) const;
  // Hosts that say that they have the layer, be they alive or not.
  const std::set<model::HostId>& holders_of(const std::string& layer) const { return layers_.of(layer); }
  const placement::Inventory& inventory() const { return inventory_; }
  state::Revision revision() const { return revision_; }

  // Room that is about to be given to an instance: counts as taken for the decisions until then, or until release().
  void reserve(model::InstanceId id, const placement::Claim& claim) { inventory_.put_instance(id, claim); }
  void release(model::InstanceId id) { refresh_instance(id); }
  // As if it held nothing, for a decision about itself; until release().
  void set_aside(model::InstanceId id) { inventory_.erase_instance(id); }

  // Notes what changes, until it is told to stop. `changes` may be emptied at any time.
  void note_in(Changes& changes) { notes_.insert(&changes); }
  void stop_noting_in(Changes& changes) { notes_.erase(&changes); }

 private:
  struct OfAccount {
    std::set<model::InstanceId> instances;
    Usage used;
  };
  Result<> load();
  struct Watched {
    state::KeyRange range;
    std::unique_ptr<state::Watch> watch;
  };
  Result<state::Revision> follow(state::Watch& watch, state::Revision revision);
  Result<> apply(const state::KeyValue& entry, bool deleted);
  Result<> apply_instance(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted);
  Result<> apply_part(InstanceView& view, std::string_view part, const state::KeyValue& entry, bool deleted);
  Result<> apply_host(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted);
  Result<> apply_layers(HostView& view, model::HostId id, const state::KeyValue& entry, bool deleted);
  Result<> apply_interface(const model::KeyParts& parts, const state::KeyValue& entry, bool deleted);
  void add_to_index(model::InstanceId id, const InstanceView& view);
  void remove_from_index(model::InstanceId id, const InstanceView& view);
  Result<> refresh_host(model::HostId id);
  placement::HostIndex index_of(model::HostId id);
  void refresh_instance(model::InstanceId id);

  state::Store& store_;
  std::vector<Watched> watched_;
  state::Revision revision_ = 0;  // of the first
  std::map<model::InstanceId, InstanceView> instances_;
  std::map<model::HostId, HostView> hosts_;
  std::map<model::InterfaceId, Stored<model::InterfaceDesired>> interfaces_;
  std::map<model::AccountId, OfAccount> accounts_;
  std::map<model::HostId, std::set<model::InstanceId>> placed_;
  std::map<model::HostId, std::set<model::InstanceId>> arriving_;
  LayerHolders layers_;
  DiskView disks_;
  placement::Inventory inventory_;
  std::set<Changes*> notes_;
};

}  // namespace pileus::control
