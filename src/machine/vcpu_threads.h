// VcpuThreads: one thread for each vCPU, which all run, or all stand still between two
// instructions.
//
// Threads: the functions may be called by any thread except the vCPUs', one call at a time
// (Machine's lock).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"

namespace pileus::machine {

class VcpuThreads {
 public:
  // Called on a vCPU's thread when its run() ended for good; that vCPU then stands still until the
  // next park() and resume(), by when somebody has given it a new state.
  using OnEnd = std::function<void(u32 index, const engine::Exit&)>;

  VcpuThreads(std::vector<engine::Vcpu*> vcpus, OnEnd on_end) : vcpus_(std::move(vcpus)), on_end_(std::move(on_end)) {}
  ~VcpuThreads() { join(); }
  VcpuThreads(const VcpuThreads&) = delete;
  VcpuThreads& operator=(const VcpuThreads&) = delete;

  // Makes the threads, standing still.
  void start();
  // Returns when all stand still.
  void park();
  void resume();
  // Those that resume() leaves standing, by index; the others run. While all stand still.
  void hold(std::vector<bool> held);
  // Ends the threads; final.
  void join();

 private:
  enum class Order { kPark, kRun, kExit };

  void loop(u32 index);
  void give(Order order);
  void kick_all();

  const std::vector<engine::Vcpu*> vcpus_;
  const OnEnd on_end_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable ordered_;
  std::condition_variable stood_;
  Order order_ = Order::kPark;
  u64 resumes_ = 0;   // tells a vCPU that ended from one that was resumed since
  std::vector<bool> held_;  // may be shorter than there are vCPUs
  u64 standing_ = 0;  // threads that wait for an order
};

}  // namespace pileus::machine
