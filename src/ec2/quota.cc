#include "ec2/quota.h"

#include <algorithm>

namespace pileus::ec2 {
namespace {

// More than can be on their way at once at several cloud managers: instances, each of up to kMaxVcpus' worth.
constexpr u64 kNearInstances = 2000;
constexpr u64 kNearVcpus = 20'000;
constexpr u64 kNearGib = 100'000;

std::string turn_key(const Call& call) { return "v1/launch-turns/" + call.account.id.text(); }

Reply<state::Revision> read_turn(const Call& call) {
  const std::optional<state::KeyValue> turn = TRY(call.store.get(turn_key(call)));
  return turn ? turn->mod_revision : state::Revision{};
}

void take_turn(const Call& call, control::Change& change, state::Revision turn) {
  change.expect(turn_key(call), turn);
  change.put(turn_key(call), "");
}

Reply<control::Usage> count_used(const Call& call) {
  control::Usage used;
  TRY(call.catalogue.read([&](const control::View& view) { used = view.used_by(call.account.id); }));
  return used;
}

u64 left_of(u64 quota, u64 used) { return quota > used ? quota - used : 0; }

ApiError too_many_volumes(const Call& call, u64 used_gib) {
  return {"VolumeLimitExceeded", "The account has " + std::to_string(used_gib) + " GiB of volumes and may have " +
                                     std::to_string(call.account.quota.volume_gib) +
                                     ": delete some, or ask for a larger quota"};
}

}  // namespace

void Allowance::bind(const Call& call, control::Change& change) const {
  if (turn) take_turn(call, change, *turn);
}

Reply<Allowance> read_allowance(const Call& call, const model::Resources& takes, u32 least, u32 most) {
  const state::Revision turn = TRY(read_turn(call));
  const control::Usage used = TRY(count_used(call));
  const model::Quota& quota = call.account.quota;
  const u64 instances_left = left_of(quota.instances, used.instances);
  const u64 vcpus_left = left_of(quota.vcpus, used.vcpus);
  const u64 gib_left = left_of(quota.volume_gib, used.volume_gib);
  if (instances_left < least) {
    return ApiError("InstanceLimitExceeded",
                    "You have requested more instances (" + std::to_string(used.instances + least) +
                        ") than your current instance limit of " + std::to_string(quota.instances) + " allows");
  }
  if (vcpus_left < u64{least} * takes.vcpus) {
    return ApiError("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of " +
                                             std::to_string(quota.vcpus) + " allows");
  }
  if (gib_left < least * takes.disk_gib) return too_many_volumes(call, used.volume_gib);
  Allowance allowance;
  allowance.count = static_cast<u32>(std::min({u64{most}, instances_left, vcpus_left / std::max<u64>(takes.vcpus, 1),
                                               gib_left / std::max<u64>(takes.disk_gib, 1)}));
  if (instances_left < kNearInstances || vcpus_left < kNearVcpus || gib_left < kNearGib) allowance.turn = turn;
  return allowance;
}

Reply<> claim_volumes(const Call& call, control::Change& change, u64 more_gib) {
  take_turn(call, change, TRY(read_turn(call)));
  const control::Usage used = TRY(count_used(call));
  if (used.volume_gib + more_gib <= call.account.quota.volume_gib) return {};
  return too_many_volumes(call, used.volume_gib);
}

Reply<> claim_snapshots(const Call& call, control::Change& change, std::size_t more) {
  take_turn(call, change, TRY(read_turn(call)));
  const control::Usage used = TRY(count_used(call));
  const u32 quota = call.account.quota.snapshots;
  if (used.snapshots + more <= quota) return {};
  return ApiError("SnapshotLimitExceeded", "The account has " + std::to_string(used.snapshots) +
                                               " snapshots, with those that imports will make, and may have " +
                                               std::to_string(quota) + ": delete some, or ask for a larger quota");
}

}  // namespace pileus::ec2
