#include "state/etcd/watch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace pileus::state::etcd {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kQuiet{3000};      // without a byte, then the member is asked whether it lives
constexpr milliseconds kProof{2000};      // in which it has to answer
constexpr milliseconds kPause{100};       // before a new stream after a broken one
constexpr std::size_t kMaxMessage = 32 * kMiB;

class EtcdWatch final : public Watch {
 public:
  EtcdWatch(Cluster& cluster, KeyRange range, Revision next)
      : cluster_(cluster), range_(std::move(range)), next_(next) {}

  Result<WatchUpdate> next(milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    bool tried = false;  // with no time at all, each call shall still get somewhere
    while (true) {
      if (is_cancelled()) return Error(ErrorCode::kBusy, "the watch was cancelled");
      if (compacted_ != 0) return gone();
      if (std::vector<Event> events = take_complete(); !events.empty()) {
        next_ = events.back().entry.mod_revision + 1;
        return WatchUpdate{std::move(events), next_ - 1};
      }
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
      if (left.count() <= 0 && tried) return WatchUpdate{{}, next_ - 1};
      tried = true;
      step(std::max(left, milliseconds(0)));
    }
  }

  Revision compacted() const override { return compacted_; }

  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (stream_) stream_->cancel();
    wake_.notify_all();
  }

 private:
  Error gone() const {
    return {ErrorCode::kGone, "the events from revision " + std::to_string(next_) + " on are compacted away, up to " +
                                  std::to_string(compacted_) + "; read the range and watch from there"};
  }

  bool is_cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  // Something towards the next events, of about so long.
  void step(milliseconds left) {
    if (!stream_) return connect(left);
    const auto piece = stream_->read(std::min(left, kQuiet));
    if (is_cancelled()) return;
    if (!piece.ok()) return lose(piece.error().message());
    if (!*piece) return lose("the stream has ended");
    if ((*piece)->empty()) return check_life();
    if (stream_->status() != 200) return lose("status " + std::to_string(stream_->status()));
    heard_ = Clock::now();
    take_messages(**piece);
  }

  void connect(milliseconds left) {
    if (broken_) pause(std::min(left, kPause));
    if (is_cancelled()) return;
    member_ = cluster_.member();
    // From the revision before: etcd takes a watch from the very revision of a compaction, and may then leave out
    // deletions that this revision made.
    const Revision first = std::max<Revision>(next_ - 1, 1);
    auto opened = cluster_.open(member_, kWatch, encode_watch(range_, first, fragments_));
    if (!opened.ok()) return lose(opened.error().message());
    const std::lock_guard lock(mutex_);
    stream_ = std::move(*opened);
    if (cancelled_) stream_->cancel();
    heard_ = Clock::now();
    frames_.emplace(kMaxMessage);
    pending_.clear();
    complete_ = 0;
  }

  void pause(milliseconds time) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [this] { return cancelled_; });
  }

  void lose(const std::string& reason) {
    log::debug("etcd watch: {}", reason);
    const std::lock_guard lock(mutex_);
    stream_.reset();
    broken_ = true;
    cluster_.leave(member_);
  }

  void check_life() {
    if (Clock::now() - heard_ < kQuiet) return;
    if (!cluster_.is_alive(member_, kProof)) return lose("the member does not answer");
    heard_ = Clock::now();
  }

  void take_messages(std::string_view piece) {
    frames_->add(piece);
    while (stream_) {
      const auto message = frames_->next();
      if (!message) break;
      take_message(*message);
    }
    if (!stream_ || !frames_->bad()) return;
    fragments_ = true;
    lose("what is no message, or one of more than " + std::to_string(kMaxMessage) + " bytes");
  }

  void take_message(std::string_view bytes) {
    auto message = parse_watch(bytes);
    if (!message.ok()) return lose(message.error().message());
    broken_ = false;
    for (Event& event : message->events) {
      if (event.entry.mod_revision >= next_) pending_.push_back(std::move(event));
    }
    complete_ = pending_.size();
    if (message->fragment) {
      while (complete_ > 0 && pending_[complete_ - 1].entry.mod_revision == pending_.back().entry.mod_revision) {
        --complete_;
      }
    }
    if (message->compact_revision != 0) compacted_ = message->compact_revision;
    else if (message->ended) lose("etcd ended the watch: " + message->reason);
  }

  // The events of whole revisions.
  std::vector<Event> take_complete() {
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(complete_);
    std::vector<Event> events(std::make_move_iterator(pending_.begin()), std::make_move_iterator(end));
    pending_.erase(pending_.begin(), end);
    complete_ = 0;
    return events;
  }

  Cluster& cluster_;
  const KeyRange range_;
  Revision next_;  // the first that was not told
  Revision compacted_ = 0;
  bool broken_ = false;  // the last stream was of no use
  // Messages are up to 1,000 revisions. Only when they were too long, etcd is to cut them: for that it computes the size of
  // each piece anew with each event that it adds, which takes it minutes of processor time for a long backlog.
  bool fragments_ = false;
  std::size_t member_ = 0;
  Clock::time_point heard_;
  std::optional<Frames> frames_;  // of the stream
  std::vector<Event> pending_;
  std::size_t complete_ = 0;  // how many of `pending_` are of whole revisions

  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;  // guarded by mutex_
  std::unique_ptr<http::ClientStream> stream_;  // changed under mutex_, by the thread in next()
};

}  // namespace

std::unique_ptr<Watch> make_watch(Cluster& cluster, const KeyRange& range, Revision next) {
  return std::make_unique<EtcdWatch>(cluster, range, next);
}

}  // namespace pileus::state::etcd
