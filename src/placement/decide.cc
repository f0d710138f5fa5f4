#include "placement/decide.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pileus::placement {
namespace {

inline Scores score(const Inventory& inventory, HostIndex host, const Query& query, const Policy& policy) {
  const float per_vcpu = inventory.per_vcpu(host);
  const float per_mib = inventory.per_mib(host);
  const float asked_cpu = static_cast<float>(query.vcpus) * per_vcpu;
  const float asked_memory = static_cast<float>(query.memory_mib) * per_mib;
  const float free_cpu = static_cast<float>(inventory.free_vcpus(host)) * per_vcpu;
  const float free_memory = static_cast<float>(inventory.free_memory_mib(host)) * per_mib;
  const float left_cpu = free_cpu - asked_cpu;
  const float left_memory = free_memory - asked_memory;
  Scores scores;
  constexpr float kSqrtHalf = 0.70710678F;
  scores.pack = 1 - std::sqrt(left_cpu * left_cpu + left_memory * left_memory) * kSqrtHalf;
  scores.spread = std::min(left_cpu, left_memory);
  if (policy.fit != 0) {
    const float norms = std::sqrt((asked_cpu * asked_cpu + asked_memory * asked_memory) *
                                  (free_cpu * free_cpu + free_memory * free_memory));
    scores.fit = norms == 0 ? 0 : (asked_cpu * free_cpu + asked_memory * free_memory) / norms;
  }
  scores.image = query.has_image(host) ? 1 : 0;
  scores.total =
      policy.pack * scores.pack + policy.spread * scores.spread + policy.fit * scores.fit + policy.image * scores.image;
  return scores;
}

// The best few, best first; of equals, the host that was known first.
class Best {
 public:
  explicit Best(u32 limit) : limit_(limit) {}
  void offer(HostIndex host, const Scores& scores) {
    if (scores.total <= bar_) return;
    u32 place = count_ < limit_ ? count_++ : count_ - 1;
    for (; place > 0 && entries_[place - 1].scores.total < scores.total; place--) entries_[place] = entries_[place - 1];
    entries_[place] = {host, scores};
    if (count_ == limit_) bar_ = entries_[count_ - 1].scores.total;
  }
  u32 count() const { return count_; }
  const Candidate& operator[](u32 place) const { return entries_[place]; }

 private:
  u32 limit_;
  u32 count_ = 0;
  float bar_ = -std::numeric_limits<float>::infinity();  // to be beaten
  std::array<Candidate, kMaxAmong + 1> entries_;
};

Decision search(const Inventory& inventory, const Query& query, const Policy& policy) {
  Decision decision;
  const u32 among = std::clamp(policy.among, 1U, kMaxAmong);
  Best best(among + 1);
  for (HostIndex host = 0; host < inventory.host_slots(); host++) {
    const Refusal refusal = check(inventory, host, query);
    if (refusal == Refusal::kNone) {
      decision.feasible++;
      best.offer(host, score(inventory, host, query, policy));
      continue;
    }
    Refused& refused = decision.refused[static_cast<std::size_t>(refusal)];
    if (refused.hosts++ == 0) refused.example = host;
  }
  if (best.count() == 0) return decision;
  const auto pick = static_cast<u32>(policy.salt % std::min(among, best.count()));
  decision.chosen = best[pick];
  if (best.count() > 1) decision.runner_up = best[pick == 0 ? 1 : 0];
  return decision;
}

// Partitions in the order in which they are tried: the emptiest first.
std::vector<u32> partitions_to_try(const GroupRequest& group, const GroupUse* use) {
  if (group.partition != 0) return {group.partition};
  std::vector<u32> order;
  for (u32 partition = 1; partition <= group.partitions; partition++) order.push_back(partition);
  const auto members = [use](u32 partition) {
    if (use == nullptr) return 0U;
    const auto found = use->partitions.find(partition);
    return found == use->partitions.end() ? 0U : found->second;
  };
  std::ranges::stable_sort(order, {}, members);
  return order;
}

}  // namespace

Decision decide(const Inventory& inventory, const Request& request, const Policy& policy) {
  Query query = compile(inventory, request);
  if (!query.group || query.group->strategy != model::GroupStrategy::kPartition) {
    return search(inventory, query, policy);
  }
  Decision decision;
  for (const u32 partition : partitions_to_try(*query.group, query.use)) {
    query.group->partition = partition;
    decision = search(inventory, query, policy);
    decision.partition = partition;
    if (decision.placed()) break;
  }
  return decision;
}

}  // namespace pileus::placement
