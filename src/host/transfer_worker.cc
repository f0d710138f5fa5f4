#include "host/transfer_worker.h"

#include <algorithm>

namespace pileus::host {

TransferWorker::TransferWorker() {
  for (std::size_t i = 0; i < kAtOnce; ++i) threads_.emplace_back([this] { run(); });
}

TransferWorker::~TransferWorker() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  woken_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

TransferWorker::State TransferWorker::ask(const std::string& name, const std::string& owner, const Work& work) {
  const std::lock_guard lock(mutex_);
  const auto [job, is_new] = jobs_.try_emplace(name, Job{.owner = owner, .work = work, .number = count_, .state = {}});
  if (is_new) {
    ++count_;
    woken_.notify_all();
  }
  State state = job->second.state;
  if (job->second.ended()) jobs_.erase(job);
  return state;
}

void TransferWorker::keep_only(const std::set<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, job] : jobs_) job.given_up |= !names.contains(name);
  std::erase_if(jobs_, [](const auto& each) { return each.second.given_up && !each.second.runs; });
}

bool TransferWorker::tell(const std::string& name, const char* what, double part) {
  const std::lock_guard lock(mutex_);
  Job& job = jobs_.at(name);
  job.state.what = what;
  job.state.part = part;
  return !ended_ && !job.given_up;
}

std::size_t TransferWorker::running_of(const std::string& owner) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(jobs_, [&](const auto& each) { return each.second.runs && each.second.owner == owner; }));
}

TransferWorker::Jobs::iterator TransferWorker::next_job() {
  auto next = jobs_.end();
  std::pair<std::size_t, u64> least(kOfOneOwner, 0);  // how many of its owner's run, and its number
  for (auto job = jobs_.begin(); job != jobs_.end(); ++job) {
    const std::pair<std::size_t, u64> rank(running_of(job->second.owner), job->second.number);
    if (job->second.runs || job->second.ended() || rank >= least) continue;
    next = job;
    least = rank;
  }
  return next;
}

void TransferWorker::run() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    const auto next = next_job();
    if (next == jobs_.end()) {
      woken_.wait(lock);
      continue;
    }
    auto& [name, job] = *next;  // which stays where it is as long as it runs
    job.runs = true;
    lock.unlock();
    Result<> outcome = job.work([this, &key = name](const char* what, double part) { return tell(key, what, part); });
    lock.lock();
    job.runs = false;
    job.state.done = outcome.ok();
    if (!outcome) job.state.failure = std::move(outcome).error();
    woken_.notify_all();  // its owner's next may run now
  }
}

}  // namespace pileus::host
