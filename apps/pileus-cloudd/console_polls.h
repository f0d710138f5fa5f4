// ConsolePolls: the hosts' calls about serial consoles, with the long polls of those that wait for something new.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/console_exchange.h"
#include "http/server.h"

namespace pileus::cloudd {

class ConsolePolls {
 public:
  explicit ConsolePolls(const control::Clock& clock) : exchange_(clock, [this](model::HostId host) { answer(host); }) {}

  control::ConsoleExchange& exchange() { return exchange_; }

  // POST kConsoleWishesPath?after=SEQUENCE
  http::Response wait(model::HostId host, const std::string& query);
  // POST kConsoleOutputPath
  http::Response output(model::HostId host, const std::string& body);

 private:
  struct Waiting {
    model::HostId host;
    u64 after = 0;
    std::shared_ptr<http::Later> later;
  };
  void answer(model::HostId host);

  control::ConsoleExchange exchange_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded by mutex_
};

}  // namespace pileus::cloudd
