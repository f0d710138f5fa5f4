#include "machine/vcpu_threads.h"

#include <pthread.h>

#include <cstdio>

namespace pileus::machine {

void VcpuThreads::start() {
  for (u32 index = 0; index < vcpus_.size(); ++index) threads_.emplace_back([this, index] { loop(index); });
}

void VcpuThreads::give(Order order) {
  {
    const std::scoped_lock lock(mutex_);
    if (order == Order::kRun) ++resumes_;
    order_ = order;
  }
  ordered_.notify_all();
}

// A kick that comes too early or too late only makes run() return once more for nothing.
void VcpuThreads::kick_all() {
  for (engine::Vcpu* vcpu : vcpus_) vcpu->kick();
}

void VcpuThreads::park() {
  give(Order::kPark);
  kick_all();
  std::unique_lock lock(mutex_);
  stood_.wait(lock, [this] { return standing_ == threads_.size(); });
}

void VcpuThreads::hold(std::vector<bool> held) {
  const std::scoped_lock lock(mutex_);
  held_ = std::move(held);
}

void VcpuThreads::resume() { give(Order::kRun); }

void VcpuThreads::join() {
  give(Order::kExit);
  kick_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void VcpuThreads::loop(u32 index) {
  char name[16];
  std::snprintf(name, sizeof name, "vcpu-%u", index);
  ::pthread_setname_np(::pthread_self(), name);
  u64 seen_resumes = 0;
  bool ended = true;  // as a fresh thread, wait for the first resume
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      ++standing_;
      stood_.notify_all();
      ordered_.wait(lock, [&] {
        const bool held = index < held_.size() && held_[index];
        return order_ == Order::kExit || (order_ == Order::kRun && !held && (!ended || resumes_ != seen_resumes));
      });
      --standing_;
      if (order_ == Order::kExit) return;
      seen_resumes = resumes_;
    }
    const engine::Exit exit = vcpus_[index]->run();
    ended = exit.reason != engine::ExitReason::kKicked;
    if (ended) on_end_(index, exit);
  }
}

}  // namespace pileus::machine
