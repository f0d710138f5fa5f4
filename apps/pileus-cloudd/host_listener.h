// HostListener: serves hosts over TLS, and holds their long polls until something has changed for them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "change_watcher.h"
#include "console_polls.h"
#include "control/host_api.h"
#include "control/host_protocol.h"
#include "http/cloud_certificates.h"
#include "http/server.h"

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
                                                     http::CloudCertificates certificates,
                                                     const HostListenerOptions& options);
  ~HostListener();
  HostListener(const HostListener&) = delete;
  HostListener& operator=(const HostListener&) = delete;

  u16 port() const { return server_->port(); }
  control::HostApi& api() { return *api_; }
  control::ConsoleExchange& consoles() { return consoles_.exchange(); }

 private:
  struct Waiting {
    model::HostId host;
    std::string known;  // digest of the answer that it has
    std::shared_ptr<http::Later> later;
  };

  HostListener(const control::Clock& clock, http::CloudCertificates certificates)
      : certificates_(std::move(certificates)), consoles_(clock) {}
  http::Response handle(const http::Request& request);
  http::Response wait(model::HostId host, const std::string& known);
  // Answers those for whom something has changed.
  void answer_changed();

  const http::CloudCertificates certificates_;
  ConsolePolls consoles_;
  std::unique_ptr<control::HostApi> api_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded by mutex_
  std::unique_ptr<ChangeWatcher> watcher_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace pileus::cloudd
