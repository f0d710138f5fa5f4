// LayerWorker: what takes long about layers: reading through them for their ids, and fetching them from other hosts. One
// thread does one thing after the other; the rest of the host asks what has become of it, and never waits.
//
// Whoever wants something says so again with every look, as long as it wants it. What nobody wants any more is given up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "store/layer_folder.h"

namespace pileus::host {

class LayerWorker {
 public:
  // `client` is how other hosts are asked.
  LayerWorker(store::LayerFolder layers, std::unique_ptr<http::Client> client);
  ~LayerWorker();
  LayerWorker(const LayerWorker&) = delete;
  LayerWorker& operator=(const LayerWorker&) = delete;

  struct State {
    std::optional<std::string> id;  // it is done: the layer is in the folder
    double part = 0;  // of what is to be done
    std::string failure;  // of the last try, for the log; there will be others
    ErrorCode why =
        ErrorCode::kNotFound;  // of that: kNotFound where no host could be asked, kCorrupt where what came is
    // damaged, others where it could not be stored here
  };
  // The layer that lies in this file.
  State adopt(const std::string& file, bool raw);
  // The layer of this id, which some of these addresses have.
  State fetch(const std::string& id, const std::vector<std::string>& sources);
  // True once after something was done.
  bool take_news() { return news_.exchange(false); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Job {
    std::string file;  // to be adopted; empty: to be fetched
    bool raw = false;
    std::string id;
    std::vector<std::string> sources;
    State state;
    Time asked;  // for the last time
    Time next_try;
  };
  State ask(const std::string& key, Job job);
  void work();
  bool is_wanted(const std::string& key);
  bool tell_progress(const std::string& key, double part);
  Result<std::string> carry_out(const std::string& key, const Job& job);
  Result<std::string> fetch_now(const std::string& key, const Job& job);
  Result<std::string> fetch_from(const std::string& key, const std::string& id, const std::string& source);
  Result<std::string> get(const std::string& url);

  store::LayerFolder layers_;
  const std::unique_ptr<http::Client> client_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::map<std::string, Job> jobs_;  // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_
  std::atomic<bool> news_{false};
  std::thread thread_;
};

}  // namespace pileus::host
