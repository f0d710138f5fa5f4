#include "ec2/instances/quota.h"

#include <algorithm>

namespace pileus::ec2 {
namespace {

// More than can be on their way at once at several cloud managers: instances, each of up to kMaxVcpus' worth.
constexpr u64 kNearInstances = 2000;
constexpr u64 kNearVcpus = 20'000;

std::string turn_key(const Call& call) { return "v1/launch-turns/" + call.account.id.text(); }

Reply<control::Usage> count_used(const Call& call) {
  control::Usage used;
  TRY(call.catalogue.read([&](const control::View& view) { used = view.used_by(call.account.id); }));
  return used;
}

u64 left_of(u64 quota, u64 used) { return quota > used ? quota - used : 0; }

}  // namespace

void Allowance::bind(const Call& call, control::Change& change) const {
  if (!turn) return;
  change.expect(turn_key(call), *turn);
  change.put(turn_key(call), "");
}

Reply<Allowance> read_allowance(const Call& call, const model::Resources& takes, u32 least, u32 most) {
  const state::Snapshot turn = TRY(call.store.get(state::Get{state::KeyRange::key(turn_key(call))}));
  const control::Usage used = TRY(count_used(call));
  const model::Quota& quota = call.account.quota;
  const u64 instances_left = left_of(quota.instances, used.instances);
  const u64 vcpus_left = left_of(quota.vcpus, used.vcpus);
  if (instances_left < least) {
    return ApiError("InstanceLimitExceeded",
                    "You have requested more instances (" + std::to_string(used.instances + least) +
                        ") than your current instance limit of " + std::to_string(quota.instances) + " allows");
  }
  if (vcpus_left < u64{least} * takes.vcpus) {
    return ApiError("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of " +
                                             std::to_string(quota.vcpus) + " allows");
  }
  Allowance allowance;
  allowance.count = static_cast<u32>(std::min({u64{most}, instances_left, vcpus_left / std::max<u64>(takes.vcpus, 1)}));
  if (instances_left < kNearInstances || vcpus_left < kNearVcpus) {
    allowance.turn = turn.entries.empty() ? state::Revision{} : turn.entries[0].mod_revision;
  }
  return allowance;
}

}  // namespace pileus::ec2
