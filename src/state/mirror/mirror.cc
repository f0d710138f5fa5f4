#include "state/mirror/mirror.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "state/internal/check.h"
#include "state/mirror/contents.h"

namespace pileus::state {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{1000};   // a watch that hears nothing looks up as often
constexpr milliseconds kRetry{100};   // after an error of the store
constexpr milliseconds kCertain{2000};  // how long readers wait to hear whether what is known is all
constexpr std::size_t kMaxOwn = 1000;  // transactions of ours that wait for those of others before them

bool changes(const TransactionResult& done, const std::vector<Operation>& branch) {
  for (std::size_t i = 0; i < branch.size(); ++i) {
    if (std::holds_alternative<Put>(branch[i])) return true;
    if (!std::holds_alternative<Delete>(branch[i]) || i >= done.results.size()) continue;
    const auto* erased = std::get_if<DeleteResult>(&done.results[i]);
    if (erased != nullptr && erased->count > 0) return true;
  }
  return false;
}

// What readers and watches of the mirror share with the thread that feeds it.
class Shared {
 public:
  Shared(Store& store, const MirrorOptions& options) : store_(store), options_(options), contents_(options.history) {}

  void load(Snapshot all) {
    const std::lock_guard lock(mutex_);
    contents_.load(std::move(all));
    own_.clear();
    changed_.notify_all();
  }
  void apply(const WatchUpdate& update) {
    if (update.revision <= known_) return;
    const std::lock_guard lock(mutex_);
    contents_.apply(update);
    take_own();
  }
  // What was committed through us need not come back by the watch first: it is applied as soon as all before it is known.
  void committed(const Transaction& transaction, const TransactionResult& done) {
    const std::lock_guard lock(mutex_);
    floor_ = std::max(floor_, done.revision);
    const auto& branch = done.succeeded ? transaction.then : transaction.otherwise;
    if (done.revision <= contents_.revision() || own_.size() >= kMaxOwn || !changes(done, branch)) return;
    own_.emplace(done.revision, branch);
    take_own();
  }
  // The store may have moved on without telling us how far.
  void doubt() {
    const std::lock_guard lock(mutex_);
    ++doubts_;
    doubted_.notify_all();
  }
  // The thread that asks the store how far it is, so that nobody else waits for one that does not answer.
  void settle_doubts() {
    std::unique_lock lock(mutex_);
    while (true) {
      doubted_.wait(lock, [this] { return closed_ || settled_ != doubts_; });
      if (closed_) return;
      const u64 doubts = doubts_;
      lock.unlock();
      const Result<Snapshot> now = store_.get(Get{KeyRange::key("a"), 1, true}, 0);
      lock.lock();
      silent_ = !now;
      if (now) {
        floor_ = std::max(floor_, now->revision);
        settled_ = doubts;
      } else {
        log::warn("state mirror: {}", now.error().message());
      }
      changed_.notify_all();
      if (silent_) doubted_.wait_for(lock, kRetry, [this] { return closed_; });
    }
  }
  void compact(Revision revision) {
    const std::lock_guard lock(mutex_);
    contents_.compact(std::min(revision, contents_.revision()));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    doubted_.notify_all();
  }

  Result<Snapshot> get(const Get& what) {
    std::unique_lock lock(mutex_);
    TRY(catch_up(lock));
    GetResult got = contents_.get(what);
    return Snapshot{std::move(got.entries), got.count, got.more, contents_.revision()};
  }
  Result<Revision> revision() {
    std::unique_lock lock(mutex_);
    TRY(catch_up(lock));
    return contents_.revision();
  }
  // Events from `next` on, when there are any before the deadline. Nothing: they are too old to be known here.
  Result<std::optional<WatchUpdate>> events(const KeyRange& range, Revision next, Clock::time_point deadline,
                                            const bool& cancelled) {
    std::unique_lock lock(mutex_);
    become_certain(lock, true);
    const Revision target = floor_;
    while (true) {
      if (cancelled || closed_) return Error(ErrorCode::kBusy, "the watch was cancelled");
      if (next < contents_.oldest()) return std::optional<WatchUpdate>();
      WatchUpdate update{{}, next - 1};
      if (contents_.revision() >= next) update = contents_.events(range, next);
      if (!update.events.empty()) return std::optional(std::move(update));
      next = update.revision + 1;
      if (!wait_for_news(lock, next, target, deadline)) return std::optional(WatchUpdate{{}, next - 1});
    }
  }
  // Whether there were events from `next` on, which are passed over. Those that are not known here count.
  Result<bool> skip(const KeyRange& range, Revision& next, Clock::time_point deadline, const bool& cancelled) {
    std::unique_lock lock(mutex_);
    become_certain(lock, true);
    const Revision target = floor_;
    while (true) {
      if (cancelled || closed_) return Error(ErrorCode::kBusy, "the watch was cancelled");
      const bool any = next < contents_.oldest() || contents_.has_events(range, next);
      next = std::max(next, contents_.revision() + 1);
      if (any) return true;
      if (!wait_for_news(lock, next, target, deadline)) return false;
    }
  }
  void set(bool& cancelled) {
    const std::lock_guard lock(mutex_);
    cancelled = true;
    changed_.notify_all();
  }
  template <typename Function>
  void locked(Function function) {
    const std::lock_guard lock(mutex_);
    function();
  }
  Revision oldest() const {
    const std::lock_guard lock(mutex_);
    return contents_.oldest();
  }

  Store& store() { return store_; }

 private:
  void take_own() {
    while (!own_.empty() && own_.begin()->first <= contents_.revision() + 1) {
      if (own_.begin()->first == contents_.revision() + 1) {
        contents_.apply(own_.begin()->second, own_.begin()->first);
      }
      own_.erase(own_.begin());
    }
    known_ = contents_.revision();
    changed_.notify_all();
  }
  // False when the time is over. With no time at all, what was committed before is still waited for.
  bool wait_for_news(std::unique_lock<std::mutex>& lock, Revision next, Revision target, Clock::time_point deadline) {
    const auto until = contents_.revision() < target ? std::max(deadline, Clock::now() + kRetry) : deadline;
    return changed_.wait_until(lock, until) == std::cv_status::no_timeout || contents_.revision() >= next;
  }
  // False: what is known may be old. A watch, which tells of the rest later, does not wait for a store that is silent.
  bool become_certain(std::unique_lock<std::mutex>& lock, bool is_watch) {
    const u64 doubts = doubts_;
    const auto is_told = [&] { return closed_ || settled_ >= doubts || (is_watch && silent_); };
    changed_.wait_for(lock, kCertain, is_told);
    if (settled_ < doubts) silent_ = true;  // as far as the next one is concerned
    return settled_ >= doubts;
  }
  Result<> catch_up(std::unique_lock<std::mutex>& lock) {
    if (!become_certain(lock, false)) {
      return Error(ErrorCode::kBusy, "the state store does not answer; try again later");
    }
    const Revision target = floor_;
    const auto reached = [&] { return closed_ || contents_.revision() >= target; };
    if (changed_.wait_for(lock, options_.patience, reached) && !closed_) return {};
    return Error(ErrorCode::kBusy, "the state store does not tell what has changed; try again later");
  }

  Store& store_;
  const MirrorOptions options_;
  std::atomic<Revision> known_{0};  // as contents_.revision(), to be looked at without the lock
  mutable std::mutex mutex_;  // of all below; plain: one that lets readers in together starves who feeds us
  std::condition_variable changed_;
  std::condition_variable doubted_;
  u64 doubts_ = 0;  // how often it was not known what had become of a change
  u64 settled_ = 0;  // those of which it is known
  bool silent_ = false;  // the store did not answer when it was asked last
  Contents contents_;
  Revision floor_ = 0;  // what a reader has to see at least
  std::map<Revision, std::vector<Operation>> own_;  // committed by us, waiting for what came before
  bool closed_ = false;
};

class MirrorWatch final : public Watch {
 public:
  MirrorWatch(std::shared_ptr<Shared> shared, KeyRange range, Revision next)
      : shared_(std::move(shared)), range_(std::move(range)), next_(next) {}

  Result<WatchUpdate> next(milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    if (behind_ && next_ >= shared_->oldest()) set_behind(nullptr);
    if (!behind_) {
      auto update = TRY(shared_->events(range_, next_, deadline, cancelled_));
      if (update) {
        next_ = update->revision + 1;
        return std::move(*update);
      }
      set_behind(TRY(shared_->store().watch(range_, next_)));
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    WatchUpdate update = TRY(behind_->next(std::max(left, milliseconds(0))));
    next_ = std::max(next_, update.revision + 1);
    return update;
  }
  Result<bool> skip(milliseconds timeout) override {
    if (behind_) set_behind(nullptr);
    return shared_->skip(range_, next_, Clock::now() + timeout, cancelled_);
  }
  Revision compacted() const override { return behind_ ? behind_->compacted() : 0; }
  void cancel() override {
    shared_->set(cancelled_);
    shared_->locked([this] {
      if (behind_) behind_->cancel();
    });
  }

 private:
  void set_behind(std::unique_ptr<Watch> watch) {
    shared_->locked([&] {
      behind_.swap(watch);
      if (behind_ && cancelled_) behind_->cancel();
    });
  }

  const std::shared_ptr<Shared> shared_;
  const KeyRange range_;
  Revision next_;  // the first that was not told
  std::unique_ptr<Watch> behind_;  // of the store itself, for what is too old for the mirror; changed under the lock
  bool cancelled_ = false;  // guarded by shared_
};

class Mirror final : public Store {
 public:
  Mirror(std::unique_ptr<Store> store, const MirrorOptions& options)
      : store_(std::move(store)), shared_(std::make_shared<Shared>(*store_, options)) {}

  Result<> start() {
    TRY(load());
    thread_ = std::thread([this] { feed(); });
    asker_ = std::thread([this] { shared_->settle_doubts(); });
    return {};
  }
  ~Mirror() override {
    shared_->close();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      if (watch_) watch_->cancel();
      wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    if (asker_.joinable()) asker_.join();
  }

  using Store::get;

  Result<TransactionResult> commit(const Transaction& transaction) override {
    Result<TransactionResult> done = store_->commit(transaction);
    if (done) shared_->committed(transaction, *done);
    else if (done.error().code() == ErrorCode::kTimeout) shared_->doubt();
    return done;
  }
  Result<Snapshot> get(const Get& what, Revision revision) override {
    TRY(check_range(what.range));
    return revision == 0 ? shared_->get(what) : store_->get(what, revision);
  }
  Result<std::unique_ptr<Watch>> watch(const KeyRange& range, Revision first) override {
    TRY(check_range(range));
    if (first == 0) first = TRY(shared_->revision()) + 1;
    return std::unique_ptr<Watch>(std::make_unique<MirrorWatch>(shared_, range, first));
  }
  Result<Lease> grant_lease(std::chrono::seconds ttl) override { return store_->grant_lease(ttl); }
  Result<std::chrono::seconds> keep_alive(LeaseId lease) override { return store_->keep_alive(lease); }
  Result<> revoke_lease(LeaseId lease) override {
    Result<> done = store_->revoke_lease(lease);
    shared_->doubt();
    return done;
  }
  Result<> compact(Revision revision) override {
    TRY(store_->compact(revision));
    shared_->compact(revision);
    return {};
  }

 private:
  Result<> load() {
    Snapshot all = TRY(store_->get(Get{KeyRange::all()}, 0));
    std::unique_ptr<Watch> watch = TRY(store_->watch(KeyRange::all(), all.revision + 1));
    shared_->load(std::move(all));
    const std::lock_guard lock(mutex_);
    watch_ = std::move(watch);
    if (ended_) watch_->cancel();
    return {};
  }
  bool ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  void pause() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRetry, [this] { return ended_; });
  }
  // The thread that follows the store.
  void feed() {
    while (!ended()) {
      auto update = watch_->next(kLook);
      if (update) {
        shared_->apply(*update);
        continue;
      }
      if (ended()) return;
      if (update.error().code() != ErrorCode::kGone) {
        log::warn("state mirror: {}", update.error().message());
        pause();
        continue;
      }
      if (const Result<> loaded = load(); !loaded) {
        log::warn("state mirror: {}", loaded.error().message());
        pause();
      }
    }
  }

  const std::unique_ptr<Store> store_;
  const std::shared_ptr<Shared> shared_;
  std::mutex mutex_;  // of the two below
  std::condition_variable wake_;
  bool ended_ = false;
  std::unique_ptr<Watch> watch_;  // changed by the thread that follows, under the lock
  std::thread thread_;
  std::thread asker_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_mirror(std::unique_ptr<Store> store, const MirrorOptions& options) {
  auto mirror = std::make_unique<Mirror>(std::move(store), options);
  TRY(mirror->start());
  return std::unique_ptr<Store>(std::move(mirror));
}

}  // namespace pileus::state
