// Api: the EC2-compatible API as a function from requests to responses. Any thread.
#pragma once

#include <atomic>
#include <memory>

#include "control/shared_view.h"
#include "ec2/call.h"
#include "ec2/served_requests.h"
#include "http/message.h"

namespace pileus::ec2 {

class Api {
 public:
  Api(state::Store& store, const control::Clock& clock, ApiSettings settings,
      std::shared_ptr<control::SharedView> view = nullptr);
  ~Api();

  http::Response handle(const http::Request& request);

  struct Counters {
    std::atomic<u64> requests{0};
    std::atomic<u64> refused{0};   // 4xx
    std::atomic<u64> failed{0};    // 5xx
    std::atomic<u64> throttled{0};  // of `failed`
  };
  const Counters& counters() const { return counters_; }

 private:
  class Throttle;
  struct Asked;
  Reply<> serve(const http::Request& request, Asked& asked);

  state::Store& store_;
  const control::Clock& clock_;
  const ApiSettings settings_;
  Catalogue catalogue_;
  Accounts accounts_;
  ServedRequests served_;
  std::unique_ptr<Throttle> throttle_;
  Counters counters_;
};

}  // namespace pileus::ec2
