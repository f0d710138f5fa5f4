#include "change_watcher.h"

#include "base/log.h"

namespace pileus::cloudd {
namespace {

constexpr std::chrono::milliseconds kLook{500};

}  // namespace

ChangeWatcher::ChangeWatcher(state::Store& store, std::function<void()> look)
    : store_(store), look_(std::move(look)), thread_([this] { run(); }) {}

ChangeWatcher::~ChangeWatcher() {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (watch_) watch_->cancel();
  }
  thread_.join();
}

bool ChangeWatcher::begin() {
  Result<std::unique_ptr<state::Watch>> watch = store_.watch(state::KeyRange::prefix("v1/"), 0);
  if (!watch) {
    log::warn("watching the cloud's state: {}", watch.error().message());
    return false;
  }
  const std::lock_guard lock(mutex_);
  watch_ = std::move(watch).value();
  if (ended_) watch_->cancel();
  return true;
}

void ChangeWatcher::run() {
  while (!ended_) {
    if (!watch_ && !begin()) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    if (!watch_->skip(kLook)) {
      const std::lock_guard lock(mutex_);
      watch_.reset();
    }
    look_();
  }
}

}  // namespace pileus::cloudd
