#include "state/sqlite/watch.h"

#include <algorithm>

namespace pileus::state::sqlite {

Revision Progress::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

void Progress::advance(Revision revision) {
  const std::lock_guard lock(mutex_);
  if (revision == revision_) return;
  revision_ = revision;
  changed_.notify_all();
}

void Progress::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Progress::wait(Revision revision, const bool& stop, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return closed_ || stop || revision_ >= revision; });
  return !closed_ && !stop && revision_ >= revision;
}

void Progress::set(bool& stop) {
  const std::lock_guard lock(mutex_);
  stop = true;
  changed_.notify_all();
}

bool Progress::is_set(const bool& stop) const {
  const std::lock_guard lock(mutex_);
  return closed_ || stop;
}

namespace {

constexpr std::size_t kMaxEvents = 1000;  // of one update, or all of one revision

class SqliteWatch final : public Watch {
 public:
  SqliteWatch(KeyRange range, Revision next, ReaderPool& readers, std::shared_ptr<Progress> progress)
      : range_(std::move(range)), next_(next), readers_(readers), progress_(std::move(progress)) {}

  Result<WatchUpdate> next(std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      if (progress_->is_set(cancelled_)) return Error(ErrorCode::kBusy, "the watch was cancelled");
      if (compacted_ >= next_) return gone();
      // A compacted beginning is told at once, though what comes next may be far away.
      if (checked_ && !progress_->wait(next_, cancelled_, deadline)) {
        if (progress_->is_set(cancelled_)) continue;
        return WatchUpdate{{}, next_ - 1};
      }
      ReaderPool::Loan reader = TRY(readers_.borrow(kReaderPatience));
      Events found = TRY(reader->events(range_, next_, kMaxEvents));
      checked_ = true;
      compacted_ = found.compacted;
      if (compacted_ >= next_) continue;
      next_ = std::max(next_, found.revision + 1);
      if (!found.events.empty()) return WatchUpdate{std::move(found.events), next_ - 1};
    }
  }

  Revision compacted() const override { return compacted_; }
  void cancel() override { progress_->set(cancelled_); }

 private:
  static constexpr std::chrono::seconds kReaderPatience{10};

  Error gone() const {
    return {ErrorCode::kGone, "the events from revision " + std::to_string(next_) + " on are compacted away, up to " +
                                  std::to_string(compacted_) + "; read the range and watch from there"};
  }

  const KeyRange range_;
  Revision next_;  // the first that was not told
  Revision compacted_ = 0;
  bool checked_ = false;
  ReaderPool& readers_;
  const std::shared_ptr<Progress> progress_;
  bool cancelled_ = false;  // guarded by progress_
};

}  // namespace

Result<std::unique_ptr<Watch>> make_watch(const KeyRange& range, Revision next, ReaderPool& readers,
                                          std::shared_ptr<Progress> progress) {
  return std::unique_ptr<Watch>(std::make_unique<SqliteWatch>(range, next, readers, std::move(progress)));
}

}  // namespace pileus::state::sqlite
