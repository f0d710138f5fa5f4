// vm profile: what a running VM spends its time on.
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "debug/profile/flame_graph.h"
#include "interrupt.h"
#include "output.h"
#include "vm_commands.h"
#include "vmm/control_client.h"
#include "vms.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;
constexpr u32 kUsualSeconds = 10;
constexpr u32 kMaxSeconds = 3600;
constexpr u64 kMaxFolded = 64 * kMiB;
constexpr std::size_t kMaxFunctions = 25;
constexpr std::chrono::milliseconds kPoll{50};
// What is worth to be known of `vm stats`: how often something was done.
constexpr std::array kRates = {"tlb_fills",     "fast_system", "fast_faults", "interpreted",  "blocks_translated",
                               "block_lookups", "exits",       "interrupts",  "exceptions",   "page_faults",
                               "halts",         "code_writes", "direct_runs", "direct_faults"};

Result<engine::Counters> counters_of(const VmEntry& vm) {
  const std::string reply = TRY(vmm::ask(vm.directory, vmm::Command::kStats));
  return vmm::parse_stats_reply(reply);
}

u64 value_of(const engine::Counters& counters, std::string_view name) {
  const auto found = std::ranges::find(counters, name, &engine::Counters::value_type::first);
  return found == counters.end() ? 0 : found->second;
}

// Until the time is up or somebody presses Ctrl-C; the seconds that were.
double wait(const VmEntry& vm, u32 seconds) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  while (Clock::now() < begin + std::chrono::seconds(seconds) && !interrupted() && vm.directory.in_use()) {
    std::this_thread::sleep_for(kPoll);
  }
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string percent(u64 part, u64 all) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%",
                all == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all));
  return text;
}

struct Rate {
  const char* name;
  u64 per_second;
};

std::vector<Rate> rates_between(const engine::Counters& before, const engine::Counters& after, double seconds) {
  std::vector<Rate> rates;
  for (const char* name : kRates) {
    const u64 first = value_of(before, name), last = value_of(after, name);
    if (last > first) rates.push_back({name, static_cast<u64>(static_cast<double>(last - first) / seconds)});
  }
  return rates;
}

void print_section(const char* head, const std::vector<debug::ProfileLine>& lines, u64 total) {
  std::vector<std::vector<std::string>> rows = {{head, "SAMPLES", "SHARE"}};
  for (const debug::ProfileLine& line : lines) {
    rows.push_back({printable(line.name), std::to_string(line.count), percent(line.count, total)});
  }
  print_table(rows);
  std::printf("\n");
}

void print_profile(const debug::ProfileTable& table, const std::vector<Rate>& rates) {
  print_section("TIME IN", table.activities, table.total);
  print_section("HOTTEST FUNCTIONS", table.functions, table.total);
  std::vector<std::vector<std::string>> rows = {{"COUNTER", "PER SECOND"}};
  for (const Rate& rate : rates) rows.push_back({rate.name, std::to_string(rate.per_second)});
  print_table(rows);
}

void print_profile_json(const debug::ProfileTable& table, const std::vector<Rate>& rates) {
  Json object = {{"samples", table.total},
                 {"activities", Json::object()},
                 {"functions", Json::object()},
                 {"per_second", Json::object()}};
  for (const debug::ProfileLine& line : table.activities) object["activities"][line.name] = line.count;
  for (const debug::ProfileLine& line : table.functions) object["functions"][line.name] = line.count;
  for (const Rate& rate : rates) object["per_second"][rate.name] = rate.per_second;
  std::printf("%s\n", object.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace

Result<int> vm_profile(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const u32 seconds = line.timeout_s == 0 ? kUsualSeconds : line.timeout_s;
  if (seconds > kMaxSeconds) {
    return Error(ErrorCode::kInvalid, "--seconds: a profile takes at most " + std::to_string(kMaxSeconds) + " s");
  }
  if (!vm.directory.in_use()) {
    return Error(ErrorCode::kNotFound,
                 "VM " + line.name + " does not run: `pileus vm start " + line.name + "` starts it");
  }
  catch_interrupts();
  const engine::Counters before = TRY(counters_of(vm));
  TRY(vmm::ask(vm.directory, vmm::Command::kProfileStart));
  const double took = wait(vm, seconds);
  TRY(vmm::ask(vm.directory, vmm::Command::kProfileStop));
  const engine::Counters after = TRY(counters_of(vm));
  const std::string text = TRY(os::read_file(vm.directory.profile(), kMaxFolded));
  const auto folded = debug::parse_folded(text);
  if (!folded) return Error(ErrorCode::kCorrupt, vm.directory.profile() + " is no profile: take it again");
  const std::string output = line.output.empty() ? line.name + ".svg" : line.output;
  TRY(os::replace_file(output, debug::draw_flame_graph(*folded, "VM " + line.name)));
  const debug::ProfileTable table = debug::tabulate(*folded, kMaxFunctions);
  const std::vector<Rate> rates = rates_between(before, after, took);
  if (line.json) {
    print_profile_json(table, rates);
    return 0;
  }
  print_profile(table, rates);
  std::printf("\nThe flame graph is in %s\n", output.c_str());
  return 0;
}

}  // namespace pileus::cli
