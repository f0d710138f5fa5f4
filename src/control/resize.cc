#include "control/resize.h"

namespace pileus::control {
namespace {

struct Host {
  Stored<model::HostDesired> desired;
  Stored<model::HostObserved> observed;
  Stored<model::HostClaims> claims;
};
Result<Host> read_host(state::Store& store, model::HostId id) {
  Host host;
  host.desired = TRY(read<model::HostDesired>(store, model::desired_key(id)));
  host.observed = TRY(read<model::HostObserved>(store, model::observed_key(id)));
  host.claims = TRY(read<model::HostClaims>(store, model::claims_key(id)));
  return host;
}

// What the instance holds on its host becomes what it is to take.
Result<> change_claims(state::Store& store, const Stored<model::InstancePlaced>& placed, const model::Resources& takes,
                       Change& change) {
  Host host = TRY(read_host(store, placed.value.host));
  model::HostClaims claims = host.claims.value;
  const model::Resources& held = placed.value.takes;
  if (claims.claimed.vcpus < held.vcpus || claims.claimed.memory_mib < held.memory_mib ||
      claims.claimed.disk_gib < held.disk_gib) {
    return Error(ErrorCode::kBusy, "its host is being left at this moment: try again");  // read at different moments
  }
  claims.claimed -= placed.value.takes;
  claims.claimed += takes;
  const model::Resources room = model::sellable(host.desired.value, host.observed.value);
  if (claims.claimed.vcpus > room.vcpus || claims.claimed.memory_mib > room.memory_mib) {
    return Error(ErrorCode::kExhausted, "its host has no room for that type, and its disk is there");
  }
  model::InstancePlaced next = placed.value;
  next.takes = takes;
  change.expect(model::desired_key(next.host), host.desired.revision);
  change.expect(model::observed_key(next.host), host.observed.revision);
  change.update(model::claims_key(next.host), claims, host.claims.revision);
  change.update(model::placed_key(next.id), next, placed.revision);
  return {};
}

}  // namespace

Result<> resize(state::Store& store, model::InstanceId id, const model::InstanceType& type) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    auto desired = TRY(read<model::InstanceDesired>(store, model::desired_key(id)));
    if (!desired.exists()) return Error(ErrorCode::kNotFound, "instance '" + id.text() + "' does not exist");
    const auto observed = TRY(read<model::InstanceObserved>(store, model::observed_key(id)));
    if (observed.value.state != model::InstanceState::kStopped || desired.value.power != model::Power::kStopped) {
      return Error(ErrorCode::kInvalid, "instance '" + id.text() + "' is not stopped");
    }
    const auto placed = TRY(read<model::InstancePlaced>(store, model::placed_key(id)));
    if (placed.value.migration.to) {
      return Error(ErrorCode::kInvalid,
                   "instance '" + id.text() + "' is on its way to another host: wait until it is there");
    }
    desired.value.type = type.name;
    desired.value.takes.vcpus = type.takes.vcpus;
    desired.value.takes.memory_mib = type.takes.memory_mib;
    desired.value.generation++;
    Change change;
    change.expect(model::observed_key(id), observed.revision);
    change.update(model::desired_key(id), desired.value, desired.revision);
    if (placed.exists()) TRY(change_claims(store, placed, desired.value.takes, change));
    else change.expect(model::placed_key(id), 0);
    if (TRY(change.commit(store))) return {};
  }
  return Error(ErrorCode::kBusy, "instance '" + id.text() + "' is being changed by others: try again");
}

}  // namespace pileus::control
