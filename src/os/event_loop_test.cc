#include "os/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>

namespace pileus::os {
namespace {

class RunningLoop {
 public:
  RunningLoop() : loop_(std::move(EventLoop::create()).value()) {
    std::binary_semaphore started(0);
    thread_ = std::thread([this] { loop_->run(); });
    loop_->post([&] { started.release(); });
    started.acquire();
  }
  ~RunningLoop() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
  }
  EventLoop& operator*() { return *loop_; }
  EventLoop* operator->() { return loop_.get(); }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

Fd make_event() { return Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

void signal(const Fd& fd) {
  const u64 one = 1;
  ASSERT_EQ(::write(fd.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

TEST(EventLoop, CallRunsOnTheLoopThreadAndReturnsAfterwards) {
  RunningLoop loop;
  std::thread::id where;
  bool inside = false;
  loop->call([&] {
    where = std::this_thread::get_id();
    loop->call([&] { inside = loop->in_loop_thread(); });  // nested: runs at once
  });
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_TRUE(inside);
  EXPECT_FALSE(loop->in_loop_thread());
}

TEST(EventLoop, CallRunsHereWhenNobodyRunsTheLoop) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop.ok());
  std::thread::id where;
  (*loop)->call([&] { where = std::this_thread::get_id(); });
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(EventLoop, CallsFromManyThreadsAllRunAndNoneAtTheSameTime) {
  RunningLoop loop;
  int count = 0;  // plain on purpose: only the loop's thread touches it
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) loop->call([&] { ++count; });
    });
  }
  for (auto& thread : threads) thread.join();
  loop.stop();
  EXPECT_EQ(count, 2000);
}

TEST(EventLoop, StopRunsWhatWasPosted) {
  RunningLoop loop;
  std::atomic<int> count = 0;
  for (int i = 0; i < 100; ++i) loop->post([&] { ++count; });
  loop.stop();
  EXPECT_EQ(count, 100);
}

TEST(EventLoop, DescriptorsAreServedAndMayRemoveThemselvesAndOthers) {
  RunningLoop loop;
  const Fd first = make_event();
  const Fd second = make_event();
  int calls = 0;
  std::binary_semaphore served(0);
  loop->call([&] {
    signal(first);
    signal(second);
    const auto once = [&](u32 events) {
      EXPECT_TRUE(events & EPOLLIN);
      ++calls;
      loop->remove(first.get());
      loop->remove(second.get());
      served.release();
    };
    EXPECT_TRUE(loop->add(first.get(), EPOLLIN, once).ok());
    EXPECT_TRUE(loop->add(second.get(), EPOLLIN, once).ok());
    EXPECT_EQ(loop->add(second.get(), EPOLLIN, once).error().code(), ErrorCode::kExists);
  });
  served.acquire();
  loop.stop();
  EXPECT_EQ(calls, 1);  // both were ready, but the first to run removed the other
}

TEST(EventLoop, HooksRunBeforeEveryWait) {
  RunningLoop loop;
  int runs = 0;
  u64 id = 0;
  loop->call([&] { id = loop->add_hook([&] { ++runs; }); });
  loop->call([] {});
  int seen = 0;
  loop->call([&] {
    seen = runs;
    loop->remove_hook(id);
  });
  loop->call([] {});
  loop.stop();
  EXPECT_GE(seen, 1);
  EXPECT_EQ(runs, seen);
}

TEST(EventLoop, TimerFiresOnceAndCanBeDisarmed) {
  RunningLoop loop;
  std::unique_ptr<Timer> timer;
  std::unique_ptr<Timer> never;
  std::counting_semaphore<8> fired(0);
  bool wrong = false;
  loop->call([&] {
    timer = std::move(Timer::create(*loop, [&] { fired.release(); })).value();
    never = std::move(Timer::create(*loop, [&] { wrong = true; })).value();
    timer->arm(1'000'000);
    never->arm(2'000'000);
    never->disarm();
  });
  fired.acquire();
  EXPECT_FALSE(fired.try_acquire_for(std::chrono::milliseconds(10)));
  loop->call([&] {
    timer.reset();
    never.reset();
  });
  loop.stop();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace pileus::os
