// TransferWorker: one thread that carries out long pieces of work one after the other. Who wants one says so again with
// every look, and never waits.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

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

  TransferWorker() : thread_([this] { run(); }) {}
  ~TransferWorker();
  TransferWorker(const TransferWorker&) = delete;
  TransferWorker& operator=(const TransferWorker&) = delete;

  // How far the work of that name is; begins it if it is not known. It has ended for whoever is told that it is done or
  // has failed: asked for once more, it begins anew.
  State ask(const std::string& name, const Work& work);
  // Gives up all others.
  void keep_only(const std::set<std::string>& names);

 private:
  struct Job {
    Work work;
    State state;
    bool given_up = false;
  };
  void run();
  bool tell(const std::string& name, const char* what, double part);

  std::mutex mutex_;
  std::condition_variable woken_;
  std::map<std::string, Job> jobs_;  // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pileus::host
