// Signed requests that were served and must not be served again: the same one much later was overheard. They are written to the
// state store before they are served, so restarts of a cloud manager and other managers know them; forgotten once their own date
// refuses them.
//
// A client that repeats a request at once has sent it twice itself (dates have seconds only): that is let pass, and gives other
// managers time to hear of it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "control/records.h"

namespace pileus::ec2 {

class ServedRequests {
 public:
  static constexpr model::Millis kAtOnce = 5000;

  explicit ServedRequests(state::Store& store) : store_(store) {}

  // Whether a request with this signature may be served. It is on record when this returns true. `good_until`: from when on
  // its date refuses it. Any thread; those that come while one writes are written together.
  Result<bool> admit(const std::string& signature, model::Millis good_until, model::Millis now);

 private:
  // One record, in which the requests of several threads go to the store.
  struct Batch {
    model::ServedRequests record;
    bool written = false;
    Result<> outcome;
  };

  Result<> sync();
  void remember(const std::string& digest, model::Millis served_at, model::Millis good_until);
  void remember(const model::ServedRequests& record);
  void forget_ended(model::Millis now);
  Result<> write(const model::ServedRequests& record, bool clear_away, model::Millis now);

  state::Store& store_;
  std::mutex mutex_;  // of all below
  std::condition_variable written_;
  std::unique_ptr<state::Watch> watch_;
  std::unordered_map<std::string, model::Millis> served_;  // when first, by digest
  std::multimap<model::Millis, std::string> ends_;  // the same digests, by the end of their dates
  std::shared_ptr<Batch> filling_;  // null: nobody waits for the writer
  bool writing_ = false;
  model::Millis cleared_at_ = 0;
};

}  // namespace pileus::ec2
