// Signed requests that were served and must not be served again: the same one much later was overheard. They are kept in the state
// store, where a restart of this cloud manager and all other managers find them, until their own dates end.
//
// A thread writes them, together those of a tenth of a second: no request waits for it. So a manager that is killed forgets what
// it served in that time; one that ends in order forgets nothing.
//
// A client that repeats a request at once has sent it twice itself (dates have seconds only): that is let pass, and gives other
// managers time to hear of it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "control/records.h"

namespace pileus::ec2 {

class ServedRequests {
 public:
  static constexpr model::Millis kAtOnce = 5000;

  explicit ServedRequests(state::Store& store);
  // Writes what is not written yet.
  ~ServedRequests();
  ServedRequests(const ServedRequests&) = delete;
  ServedRequests& operator=(const ServedRequests&) = delete;

  // Whether a request with this signature may be served; it is remembered then. `good_until`: from when on its date refuses it.
  // Any thread.
  Result<bool> admit(const std::string& signature, model::Millis good_until, model::Millis now);

 private:
  Result<> sync();
  void remember(const std::string& digest, model::Millis served_at, model::Millis good_until);
  void remember(const model::ServedRequests& record);
  void forget_ended(model::Millis now);
  void run();
  Result<> write(const model::ServedRequests& record, bool clear_away);

  state::Store& store_;
  std::mutex mutex_;  // of all below
  std::condition_variable stop_;
  std::unique_ptr<state::Watch> watch_;
  std::unordered_map<std::string, model::Millis> served_;  // when first, by digest
  std::multimap<model::Millis, std::string> ends_;  // the same digests, by the end of their dates
  model::ServedRequests unwritten_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace pileus::ec2
