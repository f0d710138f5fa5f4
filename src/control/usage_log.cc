#include "control/usage_log.h"

namespace pileus::control {
namespace {

// A counter that has gone back was begun anew, with a new VM.
float rate(u64 before, u64 now, double seconds) {
  return static_cast<float>(static_cast<double>(now < before ? now : now - before) / seconds);
}

}  // namespace

void UsageLog::add(model::InstanceId id, model::Millis now, const InstanceUsage& usage) {
  constexpr double kMicrosPerPercent = 10'000;  // of a second
  constexpr double kBytesPerMib = 1 << 20;
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = entries_.try_emplace(id);
  Entry& entry = at->second;
  if (!fresh && now < entry.at + kStep) return;
  if (!fresh) {
    const double seconds = static_cast<double>(now - entry.at) / 1000;
    UsageSample sample;
    sample.at_s = static_cast<u32>(now / 1000);
    sample.memory_mib = static_cast<float>(static_cast<double>(usage.memory_bytes) / kBytesPerMib);
    sample.cpu_percent = rate(entry.last.cpu_us, usage.cpu_us, seconds * kMicrosPerPercent);
    sample.disk_read = rate(entry.last.disk_read_bytes, usage.disk_read_bytes, seconds);
    sample.disk_written = rate(entry.last.disk_written_bytes, usage.disk_written_bytes, seconds);
    sample.network_in = rate(entry.last.network_in_bytes, usage.network_in_bytes, seconds);
    sample.network_out = rate(entry.last.network_out_bytes, usage.network_out_bytes, seconds);
    entry.samples.push_back(sample);
    if (entry.samples.size() > kMost) entry.samples.pop_front();
  }
  entry.at = now;
  entry.last = usage;
}

std::vector<UsageSample> UsageLog::samples(model::InstanceId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return {};
  return {found->second.samples.begin(), found->second.samples.end()};
}

void UsageLog::forget_if(const std::function<bool(model::InstanceId)>& gone) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& each) { return gone(each.first); });
}

}  // namespace pileus::control
