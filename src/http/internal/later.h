// The server's side of Later, and of those that wait.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "http/server.h"

namespace pileus::http {

class WaitingAnswer final : public Later {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Answer = std::function<void(Response)>;
  WaitingAnswer(Time deadline, Response otherwise) : deadline_(deadline), otherwise_(std::move(otherwise)) {}

  bool complete(Response response) override;
  bool done() const override;

  Time deadline() const { return deadline_; }
  // Where the answer goes, once: at once if there is one already.
  void attach(Answer answer);
  void expire() { complete(otherwise_); }

 private:
  const Time deadline_;
  const Response otherwise_;
  mutable std::mutex mutex_;
  bool done_ = false;              // guarded by mutex_
  std::optional<Response> early_;  // came before attach(); guarded by mutex_
  Answer answer_;                  // guarded by mutex_
};

// All that wait, by the time at which their patience ends. Any thread.
class WaitingAnswers {
 public:
  using Time = WaitingAnswer::Time;
  void add(const std::shared_ptr<WaitingAnswer>& answer);
  // Gives those whose time has come their answer, and forgets those that have one. The time of the next.
  Time expire(Time now);
  std::vector<std::shared_ptr<WaitingAnswer>> take_all();

 private:
  std::mutex mutex_;
  std::multimap<Time, std::shared_ptr<WaitingAnswer>> waiting_;  // guarded by mutex_
};

}  // namespace pileus::http
