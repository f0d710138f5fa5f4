// ChangeWatcher: a thread that calls back when something in the state store has changed, and now and then without a
// reason. A store that cannot be watched is tried again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "state/store.h"

namespace pileus::cloudd {

class ChangeWatcher {
 public:
  // `look` is called on the watcher's thread only.
  ChangeWatcher(state::Store& store, std::function<void()> look);
  ~ChangeWatcher();
  ChangeWatcher(const ChangeWatcher&) = delete;
  ChangeWatcher& operator=(const ChangeWatcher&) = delete;

 private:
  void run();
  bool begin();

  state::Store& store_;
  const std::function<void()> look_;
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::unique_ptr<state::Watch> watch_;  // guarded by mutex_ where another thread may cancel it
  std::thread thread_;
};

}  // namespace pileus::cloudd
