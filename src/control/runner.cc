#include "control/runner.h"

#include "base/log.h"
#include "model/keys.h"

namespace pileus::control {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kGather{4};

}  // namespace

Runner::Runner(state::Store& store, std::vector<std::unique_ptr<Controller>> controllers,
               std::chrono::milliseconds interval)
    : store_(store), controllers_(std::move(controllers)), interval_(interval), thread_([this] { run(); }) {}

Runner::~Runner() {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (watch_) watch_->cancel();
  }
  thread_.join();
}

void Runner::run_all() {
  constexpr int kMostInARow = 10;  // then the others of this machine have a turn
  for (int i = 0; i < kMostInARow && !ended_; ++i) {
    u32 changed = 0;
    for (const std::unique_ptr<Controller>& controller : controllers_) {
      const Result<u32> done = controller->run_once();
      runs_++;
      if (done) {
        changed += *done;
        continue;
      }
      failures_++;
      log::warn("controller: {}", done.error().message());
    }
    if (changed == 0) return;
  }
}

void Runner::rest() {
  if (!watch_) {
    Result<std::unique_ptr<state::Watch>> watch = store_.watch(state::KeyRange::prefix("v1/"), 0);
    if (!watch) {
      log::warn("controllers cannot watch the store: {}", watch.error().message());
      std::this_thread::sleep_for(std::min(interval_, 100ms));
      return;
    }
    const std::lock_guard lock(mutex_);
    watch_ = std::move(watch).value();
    if (ended_) watch_->cancel();
    return;  // what changed before it began to watch is still to be seen
  }
  if (watch_->skip(interval_)) {
    // One change seldom comes alone: what comes meanwhile is handled in the same run.
    std::this_thread::sleep_for(kGather);
    return;
  }
  const std::lock_guard lock(mutex_);
  watch_.reset();
}

void Runner::run() {
  while (!ended_) {
    rest();
    if (!ended_) run_all();
  }
}

}  // namespace pileus::control
