// UsageLog: what instances have used of their hosts during the last hour, in memory. Hosts tell counters with each report;
// kept are rates over kStep, 28 bytes each: some 10 KiB for an instance. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "model/id.h"
#include "model/instance.h"

namespace pileus::control {

// Of one VM since it was started, as its host counts.
struct InstanceUsage {
  u64 cpu_us = 0;  // of all its threads
  u64 memory_bytes = 0;  // of the host's memory, now
  u64 disk_read_bytes = 0;
  u64 disk_written_bytes = 0;
  u64 network_in_bytes = 0;  // to the guest
  u64 network_out_bytes = 0;
  bool operator==(const InstanceUsage&) const = default;
};

// Rates are those since the sample before.
struct UsageSample {
  u32 at_s = 0;  // Unix time
  float memory_mib = 0;
  float cpu_percent = 0;  // of one processor: 200 is two processors all the time
  float disk_read = 0;  // bytes a second, as all below
  float disk_written = 0;
  float network_in = 0;
  float network_out = 0;
};

class UsageLog {
 public:
  static constexpr model::Millis kStep = 10'000;
  static constexpr std::size_t kMost = 360;

  void add(model::InstanceId id, model::Millis now, const InstanceUsage& usage);
  std::vector<UsageSample> samples(model::InstanceId id) const;
  void forget_if(const std::function<bool(model::InstanceId)>& gone);

 private:
  struct Entry {
    model::Millis at = 0;
    InstanceUsage last;
    std::deque<UsageSample> samples;
  };
  mutable std::mutex mutex_;
  std::map<model::InstanceId, Entry> entries_;  // guarded by mutex_
};

}  // namespace pileus::control
