// EventLoop: one thread waits for many descriptors, timers and calls from other threads.
//
// The loop belongs to the thread inside run(). add(), modify(), remove(), hooks and timers may be
// used by that thread, or by any one thread while nobody is in run(). post(), call() and stop() may
// be used by every thread. Callbacks run on the loop's thread, one at a time; they may add and
// remove descriptors, themselves included.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::os {

class EventLoop {
 public:
  using FdCallback = std::function<void(u32 events)>;  // EPOLLIN, EPOLLOUT, EPOLLERR, ...
  using Task = std::function<void()>;

  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Watches `fd`, level-triggered, for the epoll `events`. The loop does not own the descriptor:
  // remove() it before closing it. kExists when it is watched already.
  Result<> add(int fd, u32 events, FdCallback callback);
  Result<> modify(int fd, u32 events);
  // Its callback is not called again, not even for events that were already collected.
  void remove(int fd);

  // A hook runs before every wait: the place to set up what depends on all callbacks of one round.
  u64 add_hook(Task hook);
  void remove_hook(u64 id);

  // Runs `task` on the loop's thread, soon. A task posted while nobody is in run() waits for it.
  void post(Task task);
  // Runs `task` on the loop's thread and returns when it is done. Runs it here when this is the
  // loop's thread or nobody is in run().
  void call(const Task& task);

  // Waits and dispatches until stop(); tasks posted before it returns are run. May be used again.
  void run();
  void stop();
  bool in_loop_thread() const;

 private:
  friend class Timer;
  struct Watch {
    int fd;
    std::shared_ptr<FdCallback> callback;
  };
  struct Hook {
    u64 id;
    std::shared_ptr<Task> task;
  };

  EventLoop(Fd epoll, Fd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}
  void wake();
  void drain_wake();
  void run_hooks();
  void run_tasks();
  bool finish();

  Fd epoll_;
  Fd wake_;  // eventfd: tasks_ or stopping_ changed
  // A watch is known by a number that is never used again, so that an event of a removed
  // descriptor cannot reach the callback of a new one with the same descriptor number.
  std::unordered_map<u64, Watch> watches_;
  std::unordered_map<int, u64> watch_of_fd_;
  std::vector<Hook> hooks_;
  u64 next_id_ = 1;

  mutable std::mutex mutex_;
  std::condition_variable done_;  // with mutex_
  std::vector<Task> tasks_;       // guarded by mutex_
  std::thread::id thread_;        // who is in run(); guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
};

// A one-shot timer of an EventLoop, on the monotonic clock. Used on the loop's thread; must not
// outlive the loop.
class Timer {
 public:
  static Result<std::unique_ptr<Timer>> create(EventLoop& loop, EventLoop::Task callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires once, `delay_ns` from now; replaces an earlier setting.
  void arm(u64 delay_ns);
  void disarm();

 private:
  Timer(EventLoop& loop, Fd fd, EventLoop::Task callback)
      : loop_(loop), fd_(std::move(fd)), callback_(std::move(callback)) {}
  void fired();

  EventLoop& loop_;
  Fd fd_;
  EventLoop::Task callback_;
};

}  // namespace pileus::os
