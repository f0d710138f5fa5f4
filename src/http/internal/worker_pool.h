// WorkerPool: a fixed number of threads that run tasks in the order given; a bounded number may wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pileus::http {

class WorkerPool {
 public:
  using Task = std::function<void()>;
  WorkerPool(unsigned threads, std::size_t max_waiting);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when too many wait, or the pool was stopped.
  bool submit(Task task);
  // Takes no more tasks, runs what waits, and ends the threads. May be called again.
  void stop();

 private:
  void work();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_;  // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace pileus::http
