#include "state/sqlite/store.h"

#include <unistd.h>

#include <thread>

#include "base/log.h"
#include "os/file.h"
#include "state/internal/check.h"
#include "state/sqlite/checkpointer.h"
#include "state/sqlite/job_queue.h"
#include "state/sqlite/lease_clock.h"
#include "state/sqlite/reader_pool.h"
#include "state/sqlite/watch.h"

namespace pileus::state::sqlite {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kRetry{1};  // of work nobody waits for, when the disk would not have it

class SqliteStore final : public Store {
 public:
  SqliteStore(Options options, os::FileLock lock, std::unique_ptr<Writer> writer, std::unique_ptr<ReaderPool> readers)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        writer_(std::move(writer)),
        readers_(std::move(readers)),
        progress_(std::make_shared<Progress>(writer_->revision())) {}

  Result<> start() {
    checkpointer_ = TRY(Checkpointer::start(options_.folder / "state.db", options_.log_pages));
    checkpointer_->attach(writer_->database());
    const auto leases = TRY(writer_->leases());
    for (const auto& [lease, ttl] : leases) leases_.add(lease, ttl, Clock::now());
    thread_ = std::thread([this] { write(); });
    return {};
  }

  ~SqliteStore() override {
    queue_.close();
    progress_->close();
    if (thread_.joinable()) thread_.join();
  }

  using Store::get;

  Result<TransactionResult> commit(const Transaction& transaction) override {
    TRY(check_transaction(transaction));
    // Shared: the writing thread may still be at it when our patience has ended.
    struct Work {
      Transaction transaction;
      TransactionResult result;
    };
    auto work = std::make_shared<Work>(Work{transaction, {}});
    auto job = std::make_shared<Job>();
    job->run = [this, work](Writer& writer) -> Result<> {
      const auto has_lease = [this](LeaseId lease) { return leases_.has(lease, Clock::now()); };
      work->result = TRY(writer.apply(work->transaction, has_lease));
      return {};
    };
    TRY(queue_.run(job, options_.patience));
    return std::move(work->result);
  }

  Result<Snapshot> get(const Get& what, Revision revision) override {
    TRY(check_range(what.range));
    ReaderPool::Loan reader = TRY(readers_->borrow(options_.patience));
    return reader->get(what, revision);
  }

  Result<std::unique_ptr<Watch>> watch(const KeyRange& range, Revision first) override {
    TRY(check_range(range));
    return make_watch(range, first == 0 ? progress_->revision() + 1 : first, *readers_, progress_);
  }

  Result<Lease> grant_lease(std::chrono::seconds ttl) override {
    TRY(check_ttl(ttl));
    auto id = std::make_shared<LeaseId>();
    auto job = std::make_shared<Job>();
    job->run = [id, ttl](Writer& writer) -> Result<> {
      *id = TRY(writer.add_lease(ttl));
      return {};
    };
    job->settle = [this, id, ttl](bool durable) {
      if (durable) leases_.add(*id, ttl, Clock::now());
    };
    TRY(queue_.run(job, options_.patience));
    return Lease{*id, ttl};
  }

  Result<std::chrono::seconds> keep_alive(LeaseId lease) override {
    const auto ttl = leases_.keep_alive(lease, Clock::now());
    if (!ttl) return no_lease(lease);
    return *ttl;
  }

  Result<> revoke_lease(LeaseId lease) override {
    auto job = std::make_shared<Job>();
    job->run = [this, lease](Writer& writer) -> Result<> {
      if (!leases_.has(lease, Clock::now())) return no_lease(lease);
      leases_.set_revoked(lease, true);
      return writer.remove_lease(lease);
    };
    job->settle = [this, lease](bool durable) {
      if (durable) leases_.remove(lease);
      else leases_.set_revoked(lease, false);
    };
    return queue_.run(job, options_.patience);
  }

  Result<> compact(Revision revision) override {
    auto job = std::make_shared<Job>();
    job->run = [this, revision](Writer& writer) {
      sweeping_ = true;
      return writer.compact(revision);
    };
    return queue_.run(job, options_.patience);
  }

 private:
  static Error no_lease(LeaseId lease) {
    return {ErrorCode::kNotFound,
            "lease " + std::to_string(static_cast<u64>(lease)) + " does not exist or has expired; ask for a new one"};
  }

  // The writing thread.
  void write() {
    Clock::time_point idle_until = Clock::now();  // work that nobody waits for rests until then
    while (!queue_.closed()) {
      const auto jobs = queue_.take(std::max(idle_until, sweeping_ ? Clock::now() : leases_.next_end()));
      if (!jobs.empty()) run_batch(jobs);
      if (Clock::now() < idle_until) continue;
      if (!end_leases() || !sweep()) idle_until = Clock::now() + kRetry;
    }
  }

  // All or none of them.
  void run_batch(const std::vector<std::shared_ptr<Job>>& jobs) {
    std::size_t ran = 0;
    const Result<> result = batch([&]() -> Result<> {
      for (const auto& job : jobs) {
        job->outcome = job->run(*writer_);
        ++ran;
        if (writer_->failed()) return job->outcome;
      }
      return {};
    });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!result.ok()) jobs[i]->outcome = result;
      if (i < ran) jobs[i]->settle(jobs[i]->outcome.ok());
    }
    queue_.finish(jobs);
  }

  Result<> batch(const std::function<Result<>()>& work) {
    if (broken_) {
      return Error(ErrorCode::kIo, options_.folder.string() +
                                       ": the disk failed while a change was made durable; mend it and start again");
    }
    TRY(writer_->begin());
    Result<> result = work();
    if (!writer_->failed()) result = writer_->commit();
    if (!writer_->failed()) {
      progress_->advance(writer_->revision());
      return {};
    }
    broken_ = writer_->durability_unknown();
    writer_->rollback();
    log::error("state store: {}", result.error().message());
    if (!broken_) return result;
    return Error(ErrorCode::kTimeout, result.error().message() + "; the change may be there after a restart");
  }

  // Deletes the keys of leases whose time is over.
  bool end_leases() {
    for (const LeaseId lease : leases_.ended(Clock::now())) {
      if (!batch([&] { return writer_->remove_lease(lease); }).ok()) return false;
      leases_.remove(lease);
    }
    return true;
  }

  // One step of clearing away what was compacted.
  bool sweep() {
    if (!sweeping_) return true;
    return batch([&]() -> Result<> {
             sweeping_ = TRY(writer_->sweep());
             return {};
           })
        .ok();
  }

  const Options options_;
  const os::FileLock lock_;
  std::unique_ptr<Checkpointer> checkpointer_;  // outlives the writer
  const std::unique_ptr<Writer> writer_;        // the writing thread's
  bool broken_ = false;                   // the writing thread's
  bool sweeping_ = true;                  // the writing thread's: the file may hold what was compacted away
  const std::unique_ptr<ReaderPool> readers_;
  const std::shared_ptr<Progress> progress_;
  LeaseClock leases_;
  JobQueue queue_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Store>> open(const Options& options) {
  TRY(os::make_directories(options.folder).with("the state store's folder"));
  auto lock = os::FileLock::try_acquire(options.folder / "lock");
  if (!lock.ok()) {
    if (lock.error().code() != ErrorCode::kBusy) {
      return std::move(lock).error().with("the state store in " + options.folder.string());
    }
    const auto owner = os::read_file(options.folder / "owner");
    return Error(ErrorCode::kBusy, "the state store in " + options.folder.string() + " is in use by " +
                                       (owner.ok() ? owner.value() : "another process") +
                                       "; stop that, or name another folder");
  }
  // For that message only: a full disk is no reason not to serve what is there.
  if (const auto named = os::replace_file(options.folder / "owner", "process " + std::to_string(::getpid()));
      !named.ok()) {
    log::warn("state store: {}", named.error().message());
    static_cast<void>(os::remove_all(options.folder / "owner").ok());  // it names the process before
  }
  const auto file = options.folder / "state.db";
  std::unique_ptr<Writer> writer = TRY(Writer::open(file));
  std::unique_ptr<ReaderPool> readers = TRY(ReaderPool::open(file, options.readers));
  auto store = std::make_unique<SqliteStore>(options, std::move(lock).value(), std::move(writer), std::move(readers));
  TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace pileus::state::sqlite
