// decide() against a reference that knows no inventory: it keeps hosts and instances as plain lists and answers every
// question by looking at all of them.
#include "placement/decide.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "placement/choice.h"

namespace pileus::placement {
namespace {

struct Placed {
  model::HostId host;
  model::Resources takes;
  model::PlacementGroupId group;
  u32 partition = 0;
  model::HostId also;  // that it is moving to; none: it is not
  std::vector<model::HostId> hosts() const { return also ? std::vector{host, also} : std::vector{host}; }
};

struct NaiveCloud {
  std::vector<HostProperties> hosts;
  std::map<model::InstanceId, Placed> instances;

  const HostProperties& host(model::HostId id) const {
    return *std::find_if(hosts.begin(), hosts.end(), [&](const auto& each) { return each.id == id; });
  }
  std::array<i64, 3> free(const HostProperties& host) const {
    std::array<i64, 3> left{host.sellable.vcpus, static_cast<i64>(host.sellable.memory_mib),
                            static_cast<i64>(host.sellable.disk_gib)};
    for (const auto& [id, placed] : instances) {
      if (placed.host != host.id && placed.also != host.id) continue;
      left[0] -= placed.takes.vcpus;
      left[1] -= static_cast<i64>(placed.takes.memory_mib);
      left[2] -= static_cast<i64>(placed.takes.disk_gib);
    }
    return left;
  }
  // Same failure domain: same host, or same zone and named rack.
  static bool together(const HostProperties& a, const HostProperties& b) {
    return a.id == b.id || (!a.rack.empty() && a.rack == b.rack && a.zone == b.zone);
  }
  bool group_allows(const HostProperties& candidate, const GroupRequest& group, u32 partition) const {
    for (const auto& [id, placed] : instances) {
      if (placed.group != group.id) continue;
      for (const model::HostId each : placed.hosts()) {
        if (!allows_beside(candidate, host(each), group, placed.partition == partition)) return false;
      }
    }
    return true;
  }
  static bool allows_beside(const HostProperties& candidate, const HostProperties& other, const GroupRequest& group,
                            bool same_partition) {
    switch (group.strategy) {
      case model::GroupStrategy::kCluster: return candidate.zone == other.zone && candidate.rack == other.rack;
      case model::GroupStrategy::kSpread:
        if (candidate.id == other.id) return false;
        return group.spread_level != model::SpreadLevel::kRack || !together(candidate, other);
      case model::GroupStrategy::kPartition: return same_partition || !together(candidate, other);
    }
    return false;
  }
  bool fits(const HostProperties& candidate, const Request& request, u32 partition) const {
    const auto left = free(candidate);
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
      return name.empty() || std::find(list.begin(), list.end(), name) != list.end();
    };
    return candidate.status == HostStatus::kOpen && (!request.host || request.host == candidate.id) &&
           request.not_host != candidate.id && (request.zone.empty() || request.zone == candidate.zone) &&
           has(candidate.engines, request.engine) && has(candidate.cpu_models, request.cpu_model) &&
           (request.image_reach != ImageReach::kLocal || has_image(candidate, request)) &&
           (!request.layer_hosts || request.layer_hosts->contains(candidate.id)) && left[0] >= request.takes.vcpus &&
           left[1] >= static_cast<i64>(request.takes.memory_mib) &&
           left[2] >= static_cast<i64>(request.takes.disk_gib) &&
           (!request.group || group_allows(candidate, *request.group, partition));
  }
  static bool has_image(const HostProperties& host, const Request& request) {
    return std::find(host.images.begin(), host.images.end(), request.image) != host.images.end();
  }
  double score(const HostProperties& host, const Request& request, const Policy& policy) const {
    const auto left = free(host);
    const double cpus = host.sellable.vcpus;
    const auto mib = static_cast<double>(host.sellable.memory_mib);
    const double fc = static_cast<double>(left[0]) / cpus, fm = static_cast<double>(left[1]) / mib;
    const double ac = request.takes.vcpus / cpus, am = static_cast<double>(request.takes.memory_mib) / mib;
    const double pack = 1 - std::hypot(fc - ac, fm - am) / std::sqrt(2.0);
    const double norms = std::hypot(fc, fm) * std::hypot(ac, am);
    const double fit = norms == 0 ? 0 : (fc * ac + fm * am) / norms;
    return policy.pack * pack + policy.spread * std::min(fc - ac, fm - am) + policy.fit * fit +
           (has_image(host, request) ? policy.image : 0);
  }
};

class RandomCloud {
 public:
  explicit RandomCloud(u32 seed) : random_(seed) {
    const u32 hosts = 1 + below(30);
    for (u32 i = 0; i < hosts; i++) change_host(i);
  }
  u32 below(u32 limit) { return std::uniform_int_distribution<u32>(0, limit - 1)(random_); }
  std::string one_of(const char* prefix, u32 count) { return prefix + std::to_string(below(count)); }

  // A new host, or other properties for one that is known. Labels stay: a group's rules hold for labels as they were.
  void change_host(u32 number) {
    HostProperties host;
    if (number < naive.hosts.size()) {
      host = naive.hosts[number];
    } else {
      host.id = model::HostId(number + 1);
      host.zone = one_of("zone-", 3);
      host.rack = below(4) == 0 ? "" : one_of("rack-", 5);
    }
    host.sellable = {4 + below(60), 4096 + u64{below(100000)}, 50 + u64{below(500)}};
    const u32 luck = below(10);
    host.status = luck == 0   ? HostStatus::kUnreachable
                  : luck == 1 ? HostStatus::kMaintenance
                  : luck == 2 ? HostStatus::kGone
                              : HostStatus::kOpen;
    host.engines = below(2) == 0 ? std::vector<std::string>{"bt"} : std::vector<std::string>{"bt", "kvm"};
    host.cpu_models.clear();
    for (u32 level = 0; level <= below(3); level++) host.cpu_models.push_back("v" + std::to_string(level));
    host.images.clear();
    for (u32 i = below(4); i > 0; i--) host.images.emplace_back(i);
    if (number < naive.hosts.size()) {
      naive.hosts[number] = host;
    } else {
      naive.hosts.push_back(host);
    }
    ASSERT_TRUE(inventory.put_host(host).ok());
    if (host.status == HostStatus::kGone) inventory.erase_host(host.id);
  }
  Request request() {
    Request request;
    request.takes = {1 + below(8), 512 * u64{1 + below(32)}, 8 + u64{below(40)}};
    if (below(4) == 0) request.zone = one_of("zone-", 4);
    if (below(4) == 0) request.engine = below(6) == 0 ? "none" : below(2) == 0 ? "bt" : "kvm";
    if (below(4) == 0) request.cpu_model = one_of("v", 4);
    if (below(2) == 0) {
      request.image = model::ImageId(1 + below(5));
      request.image_reach = static_cast<ImageReach>(below(3));
    }
    if (below(4) == 0) {
      request.layer_hosts.emplace();
      for (u32 i = below(20); i > 0; --i) request.layer_hosts->insert(model::HostId(1 + below(40)));
    }
    if (below(12) == 0) request.host = model::HostId(1 + below(32));
    if (below(6) == 0) request.not_host = model::HostId(1 + below(32));
    if (below(2) == 0) {
      // The group's number says what kind it is.
      const u32 number = below(12);
      GroupRequest group;
      group.id = model::PlacementGroupId(number + 1);
      group.strategy = static_cast<model::GroupStrategy>(number % 3);
      group.spread_level = number < 6 ? model::SpreadLevel::kHost : model::SpreadLevel::kRack;
      group.partitions = 1 + number % 4;
      if (below(3) == 0) group.partition = 1 + below(group.partitions);
      request.group = group;
    }
    return request;
  }
  void erase_one() {
    if (naive.instances.empty()) return;
    const auto victim = std::next(naive.instances.begin(), below(static_cast<u32>(naive.instances.size())));
    inventory.erase_instance(victim->first);
    naive.instances.erase(victim);
  }
  void put(const Request& request, const Decision& decision) {
    const model::InstanceId id(++next_);
    const auto group = request.group ? request.group->id : model::PlacementGroupId();
    Claim claim{decision.chosen.host, request.takes, group, decision.partition};
    // In a cluster group it may be the last one, which decides alone where the others go.
    const bool free_to_move = !request.group || request.group->strategy != model::GroupStrategy::kCluster;
    if (free_to_move && below(5) == 0) claim.also = decision.runner_up.host;
    inventory.put_instance(id, claim);
    if (below(4) == 0) inventory.put_instance(id, claim);  // told twice
    naive.instances[id] = {inventory.id(claim.host), claim.takes, claim.group, claim.partition,
                           claim.also == kNoHost ? model::HostId() : inventory.id(claim.also)};
  }

  Inventory inventory;
  NaiveCloud naive;

 private:
  std::mt19937 random_;
  u64 next_ = 0;
};

void expect_right(RandomCloud& cloud, const Request& request, const Policy& policy, const Decision& decision) {
  u32 feasible = 0;
  double best = -1e9;
  for (const HostProperties& host : cloud.naive.hosts) {
    if (!cloud.naive.fits(host, request, decision.partition)) continue;
    feasible++;
    best = std::max(best, cloud.naive.score(host, request, policy));
  }
  ASSERT_EQ(decision.feasible, feasible);
  ASSERT_EQ(decision.placed(), feasible > 0);
  u32 refused = 0;
  for (std::size_t i = 0; i < kRefusals; i++) {
    refused += decision.refused[i].hosts;
    ASSERT_EQ(decision.refused[i].hosts > 0, decision.refused[i].example != kNoHost);
  }
  ASSERT_EQ(refused + feasible, cloud.naive.hosts.size()) << "every host is either refused once or would do";
  if (!decision.placed()) return;
  const HostProperties& chosen = cloud.naive.host(cloud.inventory.id(decision.chosen.host));
  ASSERT_TRUE(cloud.naive.fits(chosen, request, decision.partition));
  ASSERT_NEAR(cloud.naive.score(chosen, request, policy), best, 1e-5);
  ASSERT_NEAR(decision.chosen.scores.total, best, 1e-5);
  ASSERT_EQ(decision.runner_up.host != kNoHost, feasible > 1);
  if (feasible > 1) {
    ASSERT_NE(decision.runner_up.host, decision.chosen.host);
    ASSERT_LE(decision.runner_up.scores.total, decision.chosen.scores.total);
  }
}

// A partition group that lets the partition be chosen: every partition that was passed over must have had no room.
void expect_no_partition_missed(RandomCloud& cloud, const Request& request, const Decision& decision) {
  if (decision.placed() || !request.group || request.group->partition != 0) return;
  for (u32 partition = 1; partition <= request.group->partitions; partition++) {
    for (const HostProperties& host : cloud.naive.hosts) ASSERT_FALSE(cloud.naive.fits(host, request, partition));
  }
}

class Decide : public ::testing::TestWithParam<Policy> {};

TEST_P(Decide, AgreesWithTheReferenceOnRandomClouds) {
  u32 placed = 0, nothing = 0, groups = 0;
  for (u32 seed = 1; seed <= 150; seed++) {
    RandomCloud cloud(seed);
    for (u32 step = 0; step < 120; step++) {
      if (cloud.below(10) == 0) cloud.change_host(cloud.below(static_cast<u32>(cloud.naive.hosts.size())));
      if (cloud.below(5) == 0) cloud.erase_one();
      const Request request = cloud.request();
      const Decision decision = decide(cloud.inventory, request, GetParam());
      expect_right(cloud, request, GetParam(), decision);
      expect_no_partition_missed(cloud, request, decision);
      if (HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
      const auto lines = explain(cloud.inventory, request, decision);
      ASSERT_FALSE(lines.empty());
      if (!decision.placed()) {
        nothing++;
        ASSERT_FALSE(why_nothing(request, decision).empty());
        continue;
      }
      placed++;
      groups += request.group ? 1U : 0U;
      cloud.put(request, decision);
    }
  }
  // The random clouds do reach what they are there for.
  EXPECT_GT(placed, 3000U);
  EXPECT_GT(nothing, 1000U);
  EXPECT_GT(groups, 500U);
}
INSTANTIATE_TEST_SUITE_P(Policies, Decide, ::testing::Values(kPacking, kSpreading, kFitting));

HostProperties host_of(u64 number, u32 vcpus, u64 memory_mib) {
  HostProperties host;
  host.id = model::HostId(number);
  host.sellable = {vcpus, memory_mib, 100};
  host.zone = "a";
  return host;
}

TEST(Explain, TellsWhyHereAndWhyNotThere) {
  Inventory inventory;
  ASSERT_TRUE(inventory.put_host(host_of(1, 8, 8192)).ok());
  ASSERT_TRUE(inventory.put_host(host_of(2, 4, 4096)).ok());
  ASSERT_TRUE(inventory.put_host(host_of(3, 2, 1024)).ok());
  Request request;
  request.takes = {2, 2048, 8};
  const Decision decision = decide(inventory, request, kPacking);
  const auto lines = explain(inventory, request, decision);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "1 hosts have less than 2048 MiB of memory free, e.g. h-00000000000000003 has 1024 MiB");
  EXPECT_EQ(lines[1], "2 hosts would do");
  EXPECT_TRUE(lines[2].starts_with("chosen h-00000000000000002: score 0.5")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("next h-00000000000000001: score 0.25")) << lines[3];
}

TEST(Explain, GivesTheOwnerAReasonWithoutNamesOfHosts) {
  Inventory inventory;
  Request request;
  request.takes = {2, 2048, 8};
  EXPECT_EQ(why_nothing(request, decide(inventory, request, kPacking)),
            "the cloud has no hosts yet: let one join with 'pileus join'");
  ASSERT_TRUE(inventory.put_host(host_of(3, 2, 1024)).ok());
  HostProperties resting = host_of(4, 9, 9999);
  resting.status = HostStatus::kMaintenance;
  ASSERT_TRUE(inventory.put_host(resting).ok());
  EXPECT_EQ(why_nothing(request, decide(inventory, request, kPacking)),
            "none of 2 hosts can take 2 vCPUs, 2048 MiB of memory and 8 GiB of disk: 1 are in maintenance, "
            "1 have less than 2048 MiB of memory free");
}

TEST(Explain, AHostWithoutRoomGetsNothingWhateverWasSold) {
  Inventory inventory;
  HostProperties full = host_of(3, 64, 65536);
  full.status = HostStatus::kFull;
  ASSERT_TRUE(inventory.put_host(full).ok());
  Request request;
  request.takes = {2, 2048, 8};
  EXPECT_EQ(why_nothing(request, decide(inventory, request, kPacking)),
            "none of 1 hosts can take 2 vCPUs, 2048 MiB of memory and 8 GiB of disk: "
            "1 have hardly any room left on their disks");
  ASSERT_TRUE(inventory.put_host(host_of(4, 4, 4096)).ok());
  EXPECT_TRUE(decide(inventory, request, kPacking).placed());
}

TEST(Policies, PreferTheHostThatHasTheImageAmongEquals) {
  Inventory inventory;
  ASSERT_TRUE(inventory.put_host(host_of(1, 8, 8192)).ok());
  HostProperties with_image = host_of(2, 8, 8192);
  with_image.images = {model::ImageId(5)};
  ASSERT_TRUE(inventory.put_host(with_image).ok());
  Request request;
  request.takes = {1, 1024, 8};
  EXPECT_EQ(decide(inventory, request, kPacking).chosen.host, 0U);
  request.image = model::ImageId(5);
  EXPECT_EQ(decide(inventory, request, kPacking).chosen.host, 1U);
}

TEST(Explain, TellsOfAnImageThatHostsLack) {
  Inventory inventory;
  ASSERT_TRUE(inventory.put_host(host_of(1, 8, 8192)).ok());
  HostProperties with_image = host_of(2, 2, 8192);
  with_image.images = {model::ImageId(5)};
  ASSERT_TRUE(inventory.put_host(with_image).ok());
  Request request;
  request.takes = {2, 2048, 8};
  request.image = model::ImageId(5);
  request.image_reach = ImageReach::kLocal;
  const Decision there = decide(inventory, request, kPacking);
  EXPECT_EQ(there.chosen.host, 1U);
  EXPECT_EQ(explain(inventory, request, there)[0],
            "1 hosts lack the image, which no host gives to others, e.g. h-00000000000000001");
  request.takes.vcpus = 4;
  EXPECT_EQ(why_nothing(request, decide(inventory, request, kPacking)),
            "none of 2 hosts can take 4 vCPUs, 2048 MiB of memory and 8 GiB of disk: 1 lack the image, which no host "
            "gives to others, 1 have fewer than 4 vCPUs free");
  request.image_reach = ImageReach::kShared;
  const Decision elsewhere = decide(inventory, request, kPacking);
  EXPECT_EQ(elsewhere.chosen.host, 0U);
  EXPECT_EQ(explain(inventory, request, elsewhere).back(), "it lacks the image, and gets it from another host");
}

TEST(Explain, HasALineOfWhatWasChosen) {
  Inventory inventory;
  for (u64 number = 1; number <= 2; ++number) ASSERT_TRUE(inventory.put_host(host_of(number, 8, 8192)).ok());
  Request request;
  request.takes = {2, 2048, 8};
  const std::vector<std::string> lines = explain(inventory, request, decide(inventory, request, kPacking));
  EXPECT_TRUE(lines.back().starts_with("next "));
  EXPECT_TRUE(choice_of(lines).starts_with("chosen h-00000000000000001: score")) << choice_of(lines);
  EXPECT_EQ(choice_of({}), "");
}

TEST(Explain, TellsOfDisksThatHostsCannotGet) {
  Inventory inventory;
  for (u64 number = 1; number <= 3; ++number) ASSERT_TRUE(inventory.put_host(host_of(number, 8, 8192)).ok());
  Request request;
  request.takes = {2, 2048, 8};
  request.layer_hosts = {model::HostId(2)};
  const Decision there = decide(inventory, request, kPacking);
  EXPECT_EQ(there.chosen.host, 1U);
  EXPECT_EQ(explain(inventory, request, there)[0],
            "2 hosts lack what its disks begin as, which no host that can be reached gives to others, e.g. "
            "h-00000000000000001");
  request.layer_hosts = {model::HostId(9)};
  EXPECT_FALSE(decide(inventory, request, kPacking).placed());
}

TEST(Inventory, KnowsWhetherAnImageIsSomewhere) {
  Inventory inventory;
  EXPECT_FALSE(inventory.has_hosts());
  for (u64 number = 1; number <= 70; ++number) ASSERT_TRUE(inventory.put_host(host_of(number, 8, 8192)).ok());
  EXPECT_TRUE(inventory.has_hosts());
  EXPECT_FALSE(inventory.is_somewhere(model::ImageId(5)));
  HostProperties last = host_of(70, 8, 8192);
  last.images = {model::ImageId(5)};
  last.status = HostStatus::kMaintenance;
  ASSERT_TRUE(inventory.put_host(last).ok());
  EXPECT_TRUE(inventory.is_somewhere(model::ImageId(5)));
  EXPECT_FALSE(inventory.is_somewhere(model::ImageId(6)));
  inventory.erase_host(last.id);
  EXPECT_FALSE(inventory.is_somewhere(model::ImageId(5)));
}

TEST(Policies, ChooseAmongTheBestBySalt) {
  Inventory inventory;
  for (u64 i = 1; i <= 20; i++) ASSERT_TRUE(inventory.put_host(host_of(i, 8, 1024 * (i + 8))).ok());
  Request request;
  request.takes = {1, 1024, 8};
  Policy policy = kPacking;
  policy.among = 4;
  std::set<HostIndex> chosen;
  for (policy.salt = 0; policy.salt < 100; policy.salt++) chosen.insert(decide(inventory, request, policy).chosen.host);
  EXPECT_EQ(chosen.size(), 4U);
}

TEST(Inventory, FollowsAHostThatMovesToAnotherRack) {
  Inventory inventory;
  HostProperties first = host_of(1, 8, 8192), second = host_of(2, 8, 8192);
  first.rack = "r1";
  second.rack = "r2";
  ASSERT_TRUE(inventory.put_host(first).ok());
  ASSERT_TRUE(inventory.put_host(second).ok());
  Request request;
  request.takes = {1, 1024, 8};
  request.group = {model::PlacementGroupId(1), model::GroupStrategy::kSpread, model::SpreadLevel::kRack, 1, 0};
  inventory.put_instance(model::InstanceId(1), {0, request.takes, request.group->id, 0});
  EXPECT_EQ(decide(inventory, request, kPacking).chosen.host, 1U);
  first.rack = "r2";
  ASSERT_TRUE(inventory.put_host(first).ok());
  EXPECT_FALSE(decide(inventory, request, kPacking).placed());
  inventory.erase_instance(model::InstanceId(1));
  EXPECT_EQ(inventory.find_group(request.group->id), nullptr);
  EXPECT_EQ(decide(inventory, request, kPacking).feasible, 2U);
}

TEST(Inventory, RefusesMoreEnginesThanItHasBitsFor) {
  Inventory inventory;
  HostProperties host = host_of(1, 8, 8192);
  for (u32 i = 0; i <= Inventory::kMaxKinds; i++) host.engines.push_back("e" + std::to_string(i));
  EXPECT_EQ(inventory.put_host(host).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(inventory.host_slots(), 0U);
}

TEST(Inventory, TakingBackWhatIsSoldLeavesNothingFree) {
  Inventory inventory;
  ASSERT_TRUE(inventory.put_host(host_of(1, 8, 8192)).ok());
  inventory.put_instance(model::InstanceId(1), {0, {6, 4096, 8}, {}, 0});
  ASSERT_TRUE(inventory.put_host(host_of(1, 4, 8192)).ok());
  EXPECT_EQ(inventory.free_vcpus(0), -2);
  Request request;
  request.takes = {1, 1024, 8};
  EXPECT_EQ(decide(inventory, request, kPacking).refused[static_cast<std::size_t>(Refusal::kVcpus)].hosts, 1U);
}

}  // namespace
}  // namespace pileus::placement
