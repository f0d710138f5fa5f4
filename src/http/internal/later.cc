#include "http/internal/later.h"

namespace pileus::http {

std::shared_ptr<Later> Later::create(std::chrono::milliseconds timeout, Response otherwise) {
  return std::make_shared<WaitingAnswer>(std::chrono::steady_clock::now() + timeout, std::move(otherwise));
}

bool WaitingAnswer::complete(Response response) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    if (done_) return false;
    done_ = true;
    if (!answer_) {
      early_ = std::move(response);
      return true;
    }
    answer = std::exchange(answer_, nullptr);
  }
  answer(std::move(response));
  return true;
}

bool WaitingAnswer::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

void WaitingAnswer::attach(Answer answer) {
  std::optional<Response> early;
  {
    const std::lock_guard lock(mutex_);
    if (!early_) {
      answer_ = std::move(answer);
      return;
    }
    early = std::move(early_);
  }
  answer(*std::move(early));
}

void WaitingAnswers::add(const std::shared_ptr<WaitingAnswer>& answer) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(answer->deadline(), answer);
}

WaitingAnswers::Time WaitingAnswers::expire(Time now) {
  std::vector<std::shared_ptr<WaitingAnswer>> over;
  Time next = Time::max();
  {
    const std::lock_guard lock(mutex_);
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      if (at->first <= now) over.push_back(at->second);
      const bool forget = at->first <= now || at->second->done();
      if (!forget && next == Time::max()) next = at->first;
      at = forget ? waiting_.erase(at) : std::next(at);
    }
  }
  for (const auto& answer : over) answer->expire();
  return next;
}

std::vector<std::shared_ptr<WaitingAnswer>> WaitingAnswers::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<WaitingAnswer>> all;
  for (auto& [time, answer] : waiting_) all.push_back(std::move(answer));
  waiting_.clear();
  return all;
}

}  // namespace pileus::http
