// Service: the threads of pileus-hostd. One waits for the cloud's wishes, one says every few seconds that we live, one
// acts, and those of Consoles.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "host/agent.h"
#include "host/console_tails.h"
#include "host/consoles.h"

namespace pileus::host {

class Service {
 public:
  Service(CloudLink& cloud, Agent& agent, HostDisks& disks, model::HostObserved capacity);
  // VMs go on; only we end.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

 private:
  void listen();
  void act();
  void keep_alive();
  // False when the end has come.
  bool rest(std::chrono::milliseconds time);
  // The same: for so long, or until there is news that others may wait for.
  bool rest_until_report();

  CloudLink& cloud_;
  Agent& agent_;
  HostDisks& disks_;
  model::HostObserved capacity_;  // used by keeper_, as the next
  ConsoleTails console_tails_;
  std::mutex mutex_;  // of the three below
  std::condition_variable woken_;
  std::optional<control::Assignments> news_;
  bool report_due_ = false;
  std::atomic<bool> ended_{false};
  std::mutex agent_mutex_;
  std::thread listener_;
  std::thread actor_;
  std::thread keeper_;
  Consoles consoles_;
};

}  // namespace pileus::host
