#include "host/transfer_worker.h"

#include <algorithm>

namespace pileus::host {
namespace {

bool has_ended(const TransferWorker::State& state) { return state.done || state.failure; }

}  // namespace

TransferWorker::~TransferWorker() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

TransferWorker::State TransferWorker::ask(const std::string& name, const Work& work) {
  const std::lock_guard lock(mutex_);
  const auto [job, is_new] = jobs_.try_emplace(name, Job{work, {}, false});
  if (is_new) woken_.notify_all();
  State state = job->second.state;
  if (has_ended(state)) jobs_.erase(job);
  return state;
}

void TransferWorker::keep_only(const std::set<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, job] : jobs_) job.given_up |= !names.contains(name);
  std::erase_if(jobs_, [](const auto& each) { return each.second.given_up && has_ended(each.second.state); });
}

bool TransferWorker::tell(const std::string& name, const char* what, double part) {
  const std::lock_guard lock(mutex_);
  Job& job = jobs_.at(name);
  job.state.what = what;
  job.state.part = part;
  return !ended_ && !job.given_up;
}

void TransferWorker::run() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    std::erase_if(jobs_, [](const auto& each) { return each.second.given_up; });
    const auto waits = [](const auto& each) { return !has_ended(each.second.state); };
    const auto next = std::ranges::find_if(jobs_, waits);
    if (next == jobs_.end()) {
      woken_.wait(lock);
      continue;
    }
    const std::string name = next->first;
    const Work work = next->second.work;
    lock.unlock();
    Result<> outcome = work([&](const char* what, double part) { return tell(name, what, part); });
    lock.lock();
    State& state = jobs_.at(name).state;  // only what is done or has failed is taken away
    state.done = outcome.ok();
    if (!outcome) state.failure = std::move(outcome).error();
  }
}

}  // namespace pileus::host
