#include "state/sqlite/job_queue.h"

#include <algorithm>

namespace pileus::state::sqlite {

Result<> JobQueue::run(const std::shared_ptr<Job>& job, std::chrono::milliseconds patience) {
  const Time deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  if (closed_) return Error(ErrorCode::kBusy, "the state store is being closed");
  if (waiting_.size() >= kMaxWaiting) {
    return Error(ErrorCode::kBusy,
                 std::to_string(kMaxWaiting) + " changes wait for the state store already; try again later");
  }
  waiting_.push_back(job);
  work_.notify_one();
  done_.wait_until(lock, deadline, [&] { return job->state == Job::State::kDone; });
  if (job->state == Job::State::kDone) return job->outcome;
  if (job->state == Job::State::kTaken) {
    return Error(ErrorCode::kTimeout, "the state store's disk takes too long; the change may happen yet");
  }
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), job));
  return Error(ErrorCode::kBusy, "the state store has no time for this change; try again later");
}

std::vector<std::shared_ptr<Job>> JobQueue::take(Time until) {
  std::unique_lock lock(mutex_);
  work_.wait_until(lock, until, [this] { return closed_ || !waiting_.empty(); });
  std::vector<std::shared_ptr<Job>> taken;
  while (!waiting_.empty() && taken.size() < kMaxBatch) {
    waiting_.front()->state = Job::State::kTaken;
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void JobQueue::finish(const std::vector<std::shared_ptr<Job>>& jobs) {
  const std::lock_guard lock(mutex_);
  for (const auto& job : jobs) job->state = Job::State::kDone;
  done_.notify_all();
}

void JobQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& job : waiting_) {
    job->outcome = Error(ErrorCode::kBusy, "the state store is being closed");
    job->state = Job::State::kDone;
  }
  waiting_.clear();
  work_.notify_one();
  done_.notify_all();
}

bool JobQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace pileus::state::sqlite
