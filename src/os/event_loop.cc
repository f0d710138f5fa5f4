#include "os/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace pileus::os {

namespace {
constexpr u64 kWakeId = 0;
constexpr u64 kNsPerSecond = 1'000'000'000;
}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return Error::from_errno("make an event loop");
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return Error::from_errno("make an event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeId;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return Error::from_errno("make an event loop");
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
}

EventLoop::~EventLoop() = default;

Result<> EventLoop::add(int fd, u32 events, FdCallback callback) {
  if (watch_of_fd_.contains(fd)) {
    return Error(ErrorCode::kExists, "descriptor " + std::to_string(fd) + " is watched already");
  }
  const u64 id = next_id_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error::from_errno("watch descriptor " + std::to_string(fd));
  }
  watches_.emplace(id, Watch{fd, std::make_shared<FdCallback>(std::move(callback))});
  watch_of_fd_.emplace(fd, id);
  return {};
}

Result<> EventLoop::modify(int fd, u32 events) {
  const auto known = watch_of_fd_.find(fd);
  if (known == watch_of_fd_.end()) {
    return Error(ErrorCode::kNotFound, "descriptor " + std::to_string(fd) + " is not watched");
  }
  epoll_event event{};
  event.events = events;
  event.data.u64 = known->second;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    return Error::from_errno("watch descriptor " + std::to_string(fd));
  }
  return {};
}

void EventLoop::remove(int fd) {
  const auto known = watch_of_fd_.find(fd);
  if (known == watch_of_fd_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watches_.erase(known->second);
  watch_of_fd_.erase(known);
}

u64 EventLoop::add_hook(Task hook) {
  const u64 id = next_id_++;
  hooks_.push_back({id, std::make_shared<Task>(std::move(hook))});
  return id;
}

void EventLoop::remove_hook(u64 id) {
  std::erase_if(hooks_, [id](const Hook& hook) { return hook.id == id; });
}

void EventLoop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

void EventLoop::call(const Task& task) {
  std::unique_lock lock(mutex_);
  if (thread_ == std::thread::id() || thread_ == std::this_thread::get_id()) {
    lock.unlock();
    task();
    return;
  }
  bool done = false;
  tasks_.emplace_back([&] {
    task();
    // Notified under the lock: the caller cannot return and destroy `done` before it is over.
    const std::lock_guard done_lock(mutex_);
    done = true;
    done_.notify_all();
  });
  wake();
  done_.wait(lock, [&] { return done; });
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
}

bool EventLoop::in_loop_thread() const {
  const std::lock_guard lock(mutex_);
  return thread_ == std::this_thread::get_id();
}

void EventLoop::wake() {
  const u64 one = 1;
  // Fails only when the counter is full, and then the loop wakes anyway.
  [[maybe_unused]] const auto ignored = ::write(wake_.get(), &one, sizeof one);
}

void EventLoop::drain_wake() {
  u64 count = 0;
  [[maybe_unused]] const auto ignored = ::read(wake_.get(), &count, sizeof count);
}

void EventLoop::run_hooks() {
  const std::vector<Hook> hooks = hooks_;  // a hook may remove hooks
  for (const Hook& hook : hooks) {
    const bool still_there =
        std::any_of(hooks_.begin(), hooks_.end(), [&](const Hook& each) { return each.id == hook.id; });
    if (still_there) (*hook.task)();
  }
}

void EventLoop::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
}

// True when the loop has stopped: asked to, and no task is left. From then on call() runs tasks on
// the caller's thread, so no task may be left behind.
bool EventLoop::finish() {
  const std::lock_guard lock(mutex_);
  if (!stopping_ || !tasks_.empty()) return false;
  stopping_ = false;
  thread_ = std::thread::id();
  return true;
}

void EventLoop::run() {
  {
    const std::lock_guard lock(mutex_);
    thread_ = std::this_thread::get_id();
  }
  std::array<epoll_event, 64> events{};
  while (true) {
    run_tasks();
    if (finish()) return;
    run_hooks();
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == kWakeId) {
        drain_wake();
        continue;
      }
      const auto watch = watches_.find(event.data.u64);
      if (watch == watches_.end()) continue;
      // Held here because the callback may remove itself.
      const std::shared_ptr<FdCallback> callback = watch->second.callback;
      (*callback)(event.events);
    }
  }
}

Result<std::unique_ptr<Timer>> Timer::create(EventLoop& loop, EventLoop::Task callback) {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd.valid()) return Error::from_errno("make a timer");
  std::unique_ptr<Timer> timer(new Timer(loop, std::move(fd), std::move(callback)));
  Timer* raw = timer.get();
  TRY(loop.add(raw->fd_.get(), EPOLLIN, [raw](u32) { raw->fired(); }));
  return timer;
}

Timer::~Timer() { loop_.remove(fd_.get()); }

void Timer::arm(u64 delay_ns) {
  itimerspec setting{};
  const u64 delay = std::max<u64>(delay_ns, 1);  // zero would disarm
  setting.it_value.tv_sec = static_cast<time_t>(delay / kNsPerSecond);
  setting.it_value.tv_nsec = static_cast<long>(delay % kNsPerSecond);
  ::timerfd_settime(fd_.get(), 0, &setting, nullptr);
}

void Timer::disarm() {
  const itimerspec setting{};
  ::timerfd_settime(fd_.get(), 0, &setting, nullptr);
}

void Timer::fired() {
  u64 count = 0;
  if (::read(fd_.get(), &count, sizeof count) != sizeof count) return;  // armed anew meanwhile
  const EventLoop::Task callback = callback_;                           // may destroy this timer
  callback();
}

}  // namespace pileus::os
