// pileus_placement_load: measures placement, and prints one JSON object.
//
//   pileus_placement_load latency HOSTS INSTANCES DECISIONS [TRACE]
//   pileus_placement_load pack HOSTS CPUS MEMORY_MIB TRACE
//
// `latency` fills a cloud of HOSTS with INSTANCES and then times DECISIONS, each of which comes into the cloud while
// another instance leaves it. Sizes are those of TRACE in its order, or drawn from the mix of its cloud. A third of the
// requests have conditions (zone, engine, image) and one in ten belongs to a placement group.
//
// `pack` replays TRACE on HOSTS equal hosts with the packing policy, and gives host hours: the time integral of hosts
// that are not empty, over that of the larger of processors / CPUS and memory / MEMORY_MIB in use. The trace ends when
// its last instance comes.
//
// A TRACE has the columns vmid,cpu,mem_mib,t_start,t_end,...: seconds, t_end -1 means that it still runs; by t_start.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <queue>
#include <random>
#include <span>

#include "placement/decide.h"

namespace pileus {
namespace {

using placement::Claim;
using placement::decide;
using placement::Decision;
using placement::HostProperties;
using placement::Inventory;
using placement::Request;

struct Visit {
  model::Resources takes;
  i64 start = 0;
  i64 end = 0;
};

template <typename T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<Visit> read_trace(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // names of columns
  std::vector<Visit> visits;
  while (std::getline(file, line)) {
    std::array<std::string_view, 5> cells;
    std::string_view rest = line;
    for (std::string_view& cell : cells) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      cell = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    visits.push_back({{number<u32>(cells[1]), number<u64>(cells[2]), 8}, number<i64>(cells[3]), number<i64>(cells[4])});
  }
  return visits;
}

// Azure's mix of 2017, in percent.
std::vector<Visit> synthetic_mix(std::size_t count, std::mt19937& random) {
  static constexpr std::array<std::pair<u32, u64>, 6> kSizes = {
      {{1, 1792}, {2, 3584}, {4, 7168}, {8, 14336}, {8, 57344}, {1, 768}}};
  std::discrete_distribution<std::size_t> draw({48, 25, 11, 11, 4, 2});
  std::vector<Visit> visits(count);
  for (Visit& visit : visits) {
    const auto [cpus, memory] = kSizes[draw(random)];
    visit.takes = {cpus, memory, 8};
  }
  return visits;
}

HostProperties make_host(u32 number, std::mt19937& random) {
  constexpr u32 kHostsOfARack = 40;
  HostProperties host;
  host.id = model::HostId(number + 1);
  host.sellable = {64, (number % 2 == 0 ? 224U : 192U) * u64{1024}, 8000};
  host.zone = "zone-" + std::to_string(number / kHostsOfARack % 3);
  host.rack = "rack-" + std::to_string(number / kHostsOfARack);
  host.engines = random() % 10 == 0 ? std::vector<std::string>{"bt"} : std::vector<std::string>{"bt", "kvm"};
  host.cpu_models = {"v2", "v3"};
  for (u32 i = 0; i < 5; i++) host.images.push_back(model::ImageId(1 + random() % 50));
  if (random() % 100 == 0) host.status = placement::HostStatus::kMaintenance;
  return host;
}

Request make_request(const Visit& visit, u32 number, std::mt19937& random) {
  Request request;
  request.takes = visit.takes;
  request.image = model::ImageId(1 + random() % 50);
  if (random() % 3 == 0) request.image_reach = placement::ImageReach::kLocal;
  if (random() % 3 == 0) request.zone = "zone-" + std::to_string(random() % 3);
  if (random() % 3 == 0) request.engine = "kvm";
  if (random() % 10 == 0) {
    // 30 groups at a time, which fill up and are followed by new ones.
    const u32 group = number / 6000 * 30 + static_cast<u32>(random() % 30);
    request.group = {model::PlacementGroupId(group + 1), static_cast<model::GroupStrategy>(group % 3),
                     model::SpreadLevel::kHost, 7, 0};
  }
  return request;
}

// Processor time of this thread: what a decision costs, whoever else uses the machine.
double thread_time_us() {
  timespec now{};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double percentile(std::span<const double> sorted, double part) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

int latency(u32 hosts, u32 instances, u32 decisions, const char* trace) {
  std::mt19937 random(1);
  const u32 total = instances + decisions;
  const std::vector<Visit> visits = trace != nullptr ? read_trace(trace) : synthetic_mix(total, random);
  if (visits.empty()) {
    (void)std::fprintf(stderr, "%s has no instances\n", trace);
    return 1;
  }
  Inventory inventory;
  for (u32 i = 0; i < hosts; i++) {
    if (!inventory.put_host(make_host(i, random)).ok()) return 1;
  }
  std::vector<u64> present;
  std::vector<double> times_us, cpu_times_us, group_times_us;
  u32 placed = 0;
  // Spread first and packed later: a cloud that has some of everything, not a row of full hosts before empty ones.
  for (u32 i = 0; placed < total && i < 2 * total; i++) {
    const bool measured = placed >= instances;
    const Request request = make_request(visits[i % visits.size()], i, random);
    const placement::Policy policy = i % 2 == 0 ? placement::kPacking : placement::kSpreading;
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_begin_us = thread_time_us();
    const Decision decision = decide(inventory, request, policy);
    const double cpu_us = thread_time_us() - cpu_begin_us;
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    if (measured) {
      cpu_times_us.push_back(cpu_us);
      times_us.push_back(took.count());
      if (request.group) group_times_us.push_back(took.count());
    }
    if (!decision.placed()) continue;
    placed++;
    const auto group = request.group ? request.group->id : model::PlacementGroupId();
    inventory.put_instance(model::InstanceId(placed), {decision.chosen.host, request.takes, group, decision.partition});
    present.push_back(placed);
    if (!measured) continue;
    std::swap(present[random() % present.size()], present.back());
    inventory.erase_instance(model::InstanceId(present.back()));
    present.pop_back();
  }
  std::ranges::sort(times_us);
  std::ranges::sort(cpu_times_us);
  std::ranges::sort(group_times_us);
  const nlohmann::json measured = {{"hosts", hosts},
                                   {"instances", inventory.instance_count()},
                                   {"decisions", times_us.size()},
                                   {"placed", placed},
                                   {"p50_us", percentile(times_us, 0.5)},
                                   {"p99_us", percentile(times_us, 0.99)},
                                   {"max_us", percentile(times_us, 1)},
                                   {"cpu_p50_us", percentile(cpu_times_us, 0.5)},
                                   {"cpu_p99_us", percentile(cpu_times_us, 0.99)},
                                   {"group_decisions", group_times_us.size()},
                                   {"group_p99_us", percentile(group_times_us, 0.99)}};
  (void)std::printf("%s\n", measured.dump().c_str());
  return 0;
}

int pack(u32 hosts, u32 cpus, u64 memory_mib, const char* trace) {
  const std::vector<Visit> visits = read_trace(trace);
  if (visits.empty()) {
    (void)std::fprintf(stderr, "%s has no instances\n", trace);
    return 1;
  }
  Inventory inventory;
  for (u32 i = 0; i < hosts; i++) {
    HostProperties host;
    host.id = model::HostId(i + 1);
    host.sellable = {cpus, memory_mib, 1000000};
    if (!inventory.put_host(host).ok()) return 1;
  }
  using End = std::pair<i64, u64>;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::vector<u32> on_host(hosts);
  model::Resources used;
  double host_time = 0, bound_time = 0;
  i64 now = visits.front().start;
  u32 busy = 0, most_busy = 0, rejected = 0;
  const auto advance = [&](i64 to) {
    const auto span = static_cast<double>(to - now);
    host_time += span * busy;
    bound_time += span * std::max(used.vcpus / static_cast<double>(cpus),
                                  static_cast<double>(used.memory_mib) / static_cast<double>(memory_mib));
    now = to;
  };
  for (std::size_t i = 0; i < visits.size(); i++) {
    const Visit& visit = visits[i];
    for (; !ends.empty() && ends.top().first <= visit.start; ends.pop()) {
      advance(ends.top().first);
      const model::InstanceId id(ends.top().second);
      const Claim claim = *inventory.find_instance(id);
      inventory.erase_instance(id);
      used -= claim.takes;
      if (--on_host[claim.host] == 0) busy--;
    }
    advance(visit.start);
    Request request;
    request.takes = visit.takes;
    const Decision decision = decide(inventory, request, placement::kPacking);
    if (!decision.placed()) {
      rejected++;
      continue;
    }
    inventory.put_instance(model::InstanceId(i + 1), {decision.chosen.host, visit.takes, {}, 0});
    used += visit.takes;
    if (on_host[decision.chosen.host]++ == 0) busy++;
    most_busy = std::max(most_busy, busy);
    if (visit.end >= 0) ends.emplace(visit.end, i + 1);
  }
  const nlohmann::json measured = {{"host_hours_ratio", bound_time > 0 ? host_time / bound_time : 0},
                                   {"most_hosts", most_busy},
                                   {"rejected", rejected},
                                   {"instances", visits.size()}};
  (void)std::printf("%s\n", measured.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace pileus

int main(int count, char** arguments) {
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  using pileus::number, pileus::u32, pileus::u64;
  if ((words.size() == 4 || words.size() == 5) && words[0] == "latency") {
    return pileus::latency(number<u32>(words[1]), number<u32>(words[2]), number<u32>(words[3]),
                           words.size() == 5 ? arguments[5] : nullptr);
  }
  if (words.size() == 5 && words[0] == "pack") {
    return pileus::pack(number<u32>(words[1]), number<u32>(words[2]), number<u64>(words[3]), arguments[5]);
  }
  (void)std::fprintf(stderr, "usage: latency HOSTS INSTANCES DECISIONS [TRACE], or pack HOSTS CPUS MEMORY_MIB TRACE\n");
  return 2;
}
