// Consoles: the serial consoles of this host that people have open, between the VMMs' sockets and the cloud manager. One
// thread asks the cloud what is wished and passes on what was typed; one for each open console tells what the guest
// writes. While the cloud takes nothing, the VMM drops what the guest writes: the guest is never held up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "host/cloud_link.h"
#include "os/fd.h"

namespace pileus::host {

class Consoles {
 public:
  // `instances` is the folder with the folders of all instances.
  Consoles(CloudLink& cloud, std::filesystem::path instances);
  // After CloudLink::cancel().
  ~Consoles();
  Consoles(const Consoles&) = delete;
  Consoles& operator=(const Consoles&) = delete;

 private:
  class Console;
  void listen();
  void follow(const control::ConsoleWishes& wishes);
  // False when the end has come.
  bool rest(std::chrono::milliseconds time);

  CloudLink& cloud_;
  const std::filesystem::path instances_;
  std::map<model::InstanceId, std::unique_ptr<Console>> open_;  // of the thread that listens
  u64 sequence_ = 0;  // what it has; of that thread
  std::mutex mutex_;
  std::condition_variable woken_;
  bool ended_ = false;  // guarded by mutex_
  std::thread listener_;
};

}  // namespace pileus::host
