// pileus_state_load: loads a state store as a cloud manager would, and prints one JSON object with what it measured.
//
//   pileus_state_load STORE RATE SECONDS THREADS PRELOAD PAGES
//
// Each request is one transaction as RunInstances makes it: three conditions, six keys, some 3 KiB. RATE is how many
// are begun each second (0: each thread begins the next when the last has ended); a request's time counts from when it
// was due, so that waiting for a slow one before it is seen. PRELOAD instances are there before. Meanwhile one thread
// follows all events, and another reads PAGES pages of 1,000 instances each second.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "state/open.h"

namespace pileus {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

struct Plan {
  std::string store;
  u64 rate = 0;
  u64 seconds = 0;
  u64 threads = 0;
  u64 preload = 0;
  u64 pages = 0;
};

struct Measured {
  std::vector<double> commits_ms;
  std::vector<double> pages_ms;
  std::atomic<u64> events = 0;
  std::atomic<u64> errors = 0;
};

std::string number(u64 value, const char* kind) {
  char text[64];
  std::snprintf(text, sizeof(text), "%s%016llx", kind, static_cast<unsigned long long>(value));
  return text;
}

state::Transaction run_instances(u64 id) {
  const std::string instance = number(id, "instances/i-");
  const std::string token = number(id, "tokens/");
  const std::string volume = number(id, "volumes/vol-");
  using state::Compare;
  using state::Put;
  return {{Compare::absent(instance), Compare::absent(token), Compare::absent(volume)},
          {Put{instance, std::string(1500, 'i')}, Put{token, instance}, Put{volume, std::string(500, 'v')},
           Put{number(id, "interfaces/eni-"), std::string(500, 'e')}, Put{number(id, "events/"), std::string(250, 'x')},
           Put{number(id, "pending/"), instance}},
          {}};
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

class Load {
 public:
  Load(Plan plan, state::Store& store) : plan_(std::move(plan)), store_(store) {}

  Result<> preload() {
    constexpr u64 kBatch = 100;
    for (u64 id = 0; id < plan_.preload; id += kBatch) {
      state::Transaction transaction;
      for (u64 k = 0; k < kBatch; ++k) {
        transaction.then.emplace_back(state::Put{number(id + k, "instances/a-"), std::string(1500, 'i')});
      }
      static_cast<void>(TRY(store_.commit(transaction)));
    }
    return {};
  }

  Result<nlohmann::json> run() {
    const std::unique_ptr<state::Watch> watch = TRY(store_.watch(state::KeyRange::all(), 0));
    begin_ = Clock::now();
    end_ = begin_ + std::chrono::seconds(plan_.seconds);
    std::thread watcher([&] { follow(*watch); });
    std::thread reader([&] { read_pages(); });
    std::vector<std::vector<double>> times(plan_.threads);
    std::vector<std::thread> writers;
    for (u64 t = 0; t < plan_.threads; ++t) writers.emplace_back([&, t] { write(t, times[t]); });
    for (std::thread& thread : writers) thread.join();
    const double took_s = milliseconds(Clock::now() - begin_) / 1000;
    reader.join();
    watcher.join();
    for (const auto& each : times) measured_.commits_ms.insert(measured_.commits_ms.end(), each.begin(), each.end());
    const auto commits = static_cast<double>(measured_.commits_ms.size());
    return nlohmann::json{{"commits", measured_.commits_ms.size()},
                          {"commits_per_second", commits / took_s},
                          {"commit_p50_ms", percentile(measured_.commits_ms, 0.5)},
                          {"commit_p99_ms", percentile(measured_.commits_ms, 0.99)},
                          {"commit_max_ms", percentile(measured_.commits_ms, 1)},
                          {"pages", measured_.pages_ms.size()},
                          {"page_p50_ms", percentile(measured_.pages_ms, 0.5)},
                          {"page_p99_ms", percentile(measured_.pages_ms, 0.99)},
                          {"events", measured_.events.load()},
                          {"errors", measured_.errors.load()}};
  }

 private:
  void write(u64 thread, std::vector<double>& times) {
    for (u64 n = thread;; n += plan_.threads) {
      auto due = Clock::now();
      if (plan_.rate != 0) {
        due = begin_ + duration_cast<Clock::duration>(
                           std::chrono::duration<double>(static_cast<double>(n) / static_cast<double>(plan_.rate)));
        if (due >= end_) return;
        std::this_thread::sleep_until(due);
      } else if (due >= end_) {
        return;
      }
      const auto done = store_.commit(run_instances(n));
      if (!done.ok() || !done->succeeded) ++measured_.errors;
      else times.push_back(milliseconds(Clock::now() - due));
    }
  }

  void follow(state::Watch& watch) {
    // A second longer, so that the last events arrive.
    while (Clock::now() < end_ + std::chrono::seconds(1)) {
      const auto update = watch.next(std::chrono::milliseconds(100));
      if (!update.ok()) return static_cast<void>(++measured_.errors);
      measured_.events += update->events.size();
    }
  }

  void read_pages() {
    std::string from = "instances/";
    while (Clock::now() < end_) {
      const auto start = Clock::now();
      const auto page = store_.get(state::Get{{from, "instances0"}, 1000});
      if (!page.ok()) return static_cast<void>(++measured_.errors);
      measured_.pages_ms.push_back(milliseconds(Clock::now() - start));
      from = page->more ? page->entries.back().key + '\0' : "instances/";
      std::this_thread::sleep_until(start + std::chrono::microseconds(1'000'000 / plan_.pages));
    }
  }

  const Plan plan_;
  state::Store& store_;
  Clock::time_point begin_;
  Clock::time_point end_;
  Measured measured_;
};

int run(int argc, char** argv) {
  Plan plan;
  u64* const numbers[] = {&plan.rate, &plan.seconds, &plan.threads, &plan.preload, &plan.pages};
  bool good = argc == 7;
  for (int i = 0; good && i < 5; ++i) {
    const std::string_view text = argv[i + 2];
    good = std::from_chars(text.data(), text.data() + text.size(), *numbers[i]).ec == std::errc();
  }
  if (!good || plan.threads == 0 || plan.pages == 0) {
    std::fputs("Usage: pileus_state_load STORE RATE SECONDS THREADS PRELOAD PAGES\n", stderr);
    return 2;
  }
  plan.store = argv[1];
  const auto store = state::open_store(plan.store);
  if (!store.ok()) {
    std::fprintf(stderr, "pileus_state_load: %s\n", store.error().message().c_str());
    return 1;
  }
  Load load(plan, **store);
  const auto loaded = load.preload();
  const auto measured = loaded.ok() ? load.run() : Result<nlohmann::json>(loaded.error());
  if (!measured.ok()) {
    std::fprintf(stderr, "pileus_state_load: %s\n", measured.error().message().c_str());
    return 1;
  }
  std::printf("%s\n", measured->dump().c_str());
  return 0;
}

}  // namespace
}  // namespace pileus

int main(int argc, char** argv) { return pileus::run(argc, argv); }
