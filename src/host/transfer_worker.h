// TransferWorker: a few threads that carry out long pieces of work. Who wants one says so again with every look, and never
// waits. Whose work is the least under way has his next piece done next, and nobody's takes all threads.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "host/file_fetcher.h"

namespace pileus::host {

class TransferWorker {
 public:
  using Work = std::function<Result<>(const TransferProgress& progress)>;
  struct State {
    bool done = false;
    std::optional<Error> failure;
    const char* what = "waits for others";
    double part = 0;
  };

  static constexpr std::size_t kAtOnce = 4;
  static constexpr std::size_t kOfOneOwner = 2;

  TransferWorker();
  ~TransferWorker();
  TransferWorker(const TransferWorker&) = delete;
  TransferWorker& operator=(const TransferWorker&) = delete;

  // How far the work of that name is; begins it, as the owner's, if it is not known. It has ended for whoever is told that it
  // is done or has failed: asked for once more, it begins anew.
  State ask(const std::string& name, const std::string& owner, const Work& work);
  // Gives up all others.
  void keep_only(const std::set<std::string>& names);

 private:
  struct Job {
    std::string owner;
    Work work;
    u64 number = 0;  // in the order of their coming
    State state;
    bool runs = false;
    bool given_up = false;

    bool ended() const { return state.done || state.failure; }
  };
  using Jobs = std::map<std::string, Job>;
  void run();
  std::size_t running_of(const std::string& owner) const;
  Jobs::iterator next_job();
  bool tell(const std::string& name, const char* what, double part);

  std::mutex mutex_;
  std::condition_variable woken_;
  Jobs jobs_;  // guarded by mutex_
  u64 count_ = 0;  // guarded by mutex_: jobs that came
  bool ended_ = false;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace pileus::host
