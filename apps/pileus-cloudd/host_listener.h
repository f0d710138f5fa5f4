// HostListener: serves hosts over TLS, and holds their long polls until something has changed for them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/host_api.h"
#include "control/host_protocol.h"
#include "http/server.h"
#include "identity.h"

namespace pileus::cloudd {

struct HostListenerOptions {
  std::string address;
  u16 port = 0;
  std::string zone;  // of hosts that name none
  std::shared_ptr<control::SharedView> view;  // of the store
};

class HostListener {
 public:
  static Result<std::unique_ptr<HostListener>> start(state::Store& store, const control::Clock& clock,
                                                     CloudIdentity identity, const HostListenerOptions& options);
  ~HostListener();
  HostListener(const HostListener&) = delete;
  HostListener& operator=(const HostListener&) = delete;

  u16 port() const { return server_->port(); }
  control::HostApi& api() { return *api_; }

 private:
  struct Waiting {
    model::HostId host;
    std::string known;  // digest of the answer that it has
    std::shared_ptr<http::Later> later;
  };

  HostListener(state::Store& store, http::CloudCertificates certificates)
      : store_(store), certificates_(std::move(certificates)) {}
  http::Response handle(const http::Request& request);
  http::Response wait(model::HostId host, const std::string& known);
  // Answers those for whom something has changed.
  void watch();
  void answer_changed();

  state::Store& store_;
  const http::CloudCertificates certificates_;
  std::unique_ptr<control::HostApi> api_;
  std::mutex mutex_;  // of the two below
  std::vector<Waiting> waiting_;
  std::unique_ptr<state::Watch> watch_;
  std::atomic<bool> ended_{false};
  std::thread watcher_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace pileus::cloudd
