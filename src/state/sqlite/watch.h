// Watches of the SQLite store: each reads the log from where it is, when there is news.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "state/sqlite/reader_pool.h"
#include "state/store.h"

namespace pileus::state::sqlite {

// How far the store is; what watches wait for. Any thread.
class Progress {
 public:
  explicit Progress(Revision revision) : revision_(revision) {}
  Revision revision() const;
  void advance(Revision revision);
  // The store ends: nobody waits any more.
  void close();
  // Waits until the store is at `revision`, or `stop` is set and wake() called. False when that did not come.
  bool wait(Revision revision, const bool& stop, std::chrono::steady_clock::time_point deadline);
  // Sets a flag that wait() looks at.
  void set(bool& stop);
  bool is_set(const bool& stop) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Revision revision_;    // guarded by mutex_
  bool closed_ = false;  // guarded by mutex_
};

// Events of `range` from `next` on. `readers` must outlive the watch.
Result<std::unique_ptr<Watch>> make_watch(const KeyRange& range, Revision next, ReaderPool& readers,
                                          std::shared_ptr<Progress> progress);

}  // namespace pileus::state::sqlite
