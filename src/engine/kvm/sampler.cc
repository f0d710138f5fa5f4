#include "engine/kvm/sampler.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pileus::engine::kvm {

namespace {
constexpr u64 kMinPeriodNs = 100'000;
constexpr std::size_t kMaxEntries = 100'000;
}  // namespace

Result<> Sampler::start(u64 period_ns, std::vector<Sampled*> vcpus) {
  if (thread_.joinable()) return Error(ErrorCode::kBusy, "a profile is being taken already: wait for its end");
  period_ns_ = std::max(period_ns, kMinPeriodNs);
  vcpus_ = std::move(vcpus);
  {
    const std::lock_guard lock(mutex_);
    counts_.clear();
    lost_ = 0;
    sampling_ = true;
  }
  thread_ = std::thread([this] { loop(); });
  return {};
}

Profile Sampler::stop() {
  Profile profile;
  if (!thread_.joinable()) return profile;
  {
    const std::lock_guard lock(mutex_);
    sampling_ = false;
  }
  stopped_.notify_all();
  thread_.join();
  const std::lock_guard lock(mutex_);
  profile.period_ns = period_ns_;
  profile.lost = lost_;
  for (const auto& [key, count] : counts_) {
    const auto [activity, user, rip] = key;
    profile.entries.push_back({activity, user, rip == 0 ? std::vector<u64>() : std::vector<u64>{rip}, count});
    profile.samples += count;
  }
  return profile;
}

void Sampler::count(Activity activity, bool user, u64 rip) {
  const std::lock_guard lock(mutex_);
  if (!sampling_) return;  // one that was on its way
  const std::tuple key{activity, user, rip};
  if (counts_.size() < kMaxEntries || counts_.contains(key)) ++counts_[key];
  else ++lost_;
}

void Sampler::loop() {
  auto next = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    next += std::chrono::nanoseconds(period_ns_);
    if (stopped_.wait_until(lock, next, [this] { return !sampling_; })) return;
    lock.unlock();
    for (Sampled* const vcpu : vcpus_) vcpu->sample();
    lock.lock();
  }
}

}  // namespace pileus::engine::kvm
