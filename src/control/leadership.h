// Leadership: of several cloud managers over one store, one leads and runs the controllers. Which one, a key says that is
// bound to a lease: it is free again when its holder has died.
//
// That there is one leader spares work and is not what keeps the cloud right: each controller's changes hold only if what
// they were decided on has not changed since. So a leader that learns late of its end does no harm.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "state/lease_keeper.h"

namespace pileus::control {

class Leadership {
 public:
  // What is run while we lead: made when that begins, destroyed when it ends.
  using Work = std::shared_ptr<void>;
  static constexpr std::chrono::seconds kLease{10};

  // `name`: of this manager among all over this store, the same after a restart: it takes up its own leadership at once.
  // `begin` is called on a thread of its own, as is the destructor of what it gives. `store` must outlive it.
  Leadership(state::Store& store, std::string name, std::function<Result<Work>()> begin,
             std::chrono::seconds lease = kLease);
  // Gives the lead up, if we have it.
  ~Leadership();
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  bool leads() const;

 private:
  void run();
  // Until the lead is lost or the end has come.
  void lead(state::LeaseKeeper& keeper);
  // A lease that the key is bound to; null while another leads.
  Result<std::unique_ptr<state::LeaseKeeper>> try_to_lead();
  // False when the end has come.
  bool rest(std::chrono::milliseconds time);

  state::Store& store_;
  const std::string name_;
  const std::function<Result<Work>()> begin_;
  const std::chrono::seconds lease_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool ended_ = false;  // guarded by mutex_
  bool lost_ = false;  // guarded by mutex_
  bool leads_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pileus::control
