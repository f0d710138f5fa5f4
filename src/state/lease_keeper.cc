#include "state/lease_keeper.h"

#include <algorithm>

#include "base/log.h"

namespace pileus::state {
namespace {

constexpr std::chrono::milliseconds kRetry{200};  // after an error that may pass

}  // namespace

Result<std::unique_ptr<LeaseKeeper>> LeaseKeeper::start(Store& store, std::chrono::seconds ttl,
                                                        std::function<void()> on_lost) {
  const auto asked = Clock::now();
  const Lease lease = TRY(store.grant_lease(ttl));
  return std::unique_ptr<LeaseKeeper>(new LeaseKeeper(store, lease, asked, std::move(on_lost)));
}

LeaseKeeper::LeaseKeeper(Store& store, Lease lease, Clock::time_point asked, std::function<void()> on_lost)
    : store_(store), lease_(lease), on_lost_(std::move(on_lost)), until_(certain_until(asked)) {
  thread_ = std::thread([this] { keep(); });
}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_all();
  }
  thread_.join();
  const auto revoked = store_.revoke_lease(lease_.id);
  if (!revoked.ok()) log::debug("lease {}: {}", static_cast<u64>(lease_.id), revoked.error().message());
}

// The store's time begins when it gets our request, which is not before we asked.
LeaseKeeper::Clock::time_point LeaseKeeper::certain_until(Clock::time_point asked) const {
  return asked + lease_.ttl - std::chrono::duration_cast<std::chrono::milliseconds>(lease_.ttl) / 100;
}

bool LeaseKeeper::holds() const {
  const std::lock_guard lock(mutex_);
  if (Clock::now() >= until_) lost_ = true;
  return !lost_;
}

void LeaseKeeper::keep() {
  const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(lease_.ttl) / 3;
  std::unique_lock lock(mutex_);
  auto pause = interval;
  while (!stop_) {
    const auto next = std::min(Clock::now() + pause, until_);
    if (wake_.wait_until(lock, next, [this] { return stop_; })) return;
    if (!lost_ && Clock::now() < until_) {
      lock.unlock();
      const bool kept = keep_once();
      lock.lock();
      pause = kept ? interval : kRetry;
    }
    if (Clock::now() >= until_) lost_ = true;
    if (!lost_) continue;
    lock.unlock();
    log::warn("lease {} is lost", static_cast<u64>(lease_.id));
    if (on_lost_) on_lost_();
    return;
  }
}

// False when the store gave no answer, so that it is to be asked again soon.
bool LeaseKeeper::keep_once() {
  const auto asked = Clock::now();
  const auto kept = store_.keep_alive(lease_.id);
  const std::lock_guard lock(mutex_);
  // Whoever was told once that it is lost must not see it come back.
  if (kept.ok() && Clock::now() < until_ && !lost_) until_ = certain_until(asked);
  else if (!kept.ok() && kept.error().code() == ErrorCode::kNotFound) lost_ = true;
  return kept.ok();
}

}  // namespace pileus::state
