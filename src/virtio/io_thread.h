// IoThread: the one thread of a VM that does its devices' work.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "os/event_loop.h"

namespace pileus::virtio {

class IoThread {
 public:
  // `name` is what tools like top show; at most 15 bytes of it are kept.
  static Result<std::unique_ptr<IoThread>> start(const std::string& name);
  ~IoThread() { stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Runs from start() to stop().
  os::EventLoop& loop() { return *loop_; }
  // Ends the thread. What is called through loop().call() afterwards runs on the caller's thread.
  void stop();

 private:
  explicit IoThread(std::unique_ptr<os::EventLoop> loop) : loop_(std::move(loop)) {}

  std::unique_ptr<os::EventLoop> loop_;
  std::thread thread_;
};

}  // namespace pileus::virtio
