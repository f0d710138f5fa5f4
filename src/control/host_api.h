// HostApi: what hosts and the cloud manager say to each other, on the cloud manager's side, as a function. The protocol is
// docs/formats/host-protocol.md.
//
// A host is known by its certificate, whose common name is its id; it sees and changes nothing of other hosts.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "control/clock.h"
#include "control/network_api.h"
#include "control/shared_view.h"
#include "control/usage_log.h"

namespace pileus::control {

struct HostRequest {
  std::string path;  // "/v1/report"
  std::string body;  // JSON
  model::HostId host;  // of its certificate; none: it has shown none
};
struct HostReport;
struct HostAnswer {
  int status = 200;
  std::string body;  // JSON
};

class HostApi {
 public:
  // Signs a certificate request for a host that may join.
  using Sign = std::function<Result<std::string>(const std::string& request, const model::HostId& id)>;

  HostApi(state::Store& store, const Clock& clock, std::string zone, Sign sign,
          std::shared_ptr<SharedView> view = nullptr);

  HostAnswer handle(const HostRequest& request);
  // What is asked of the host now. Its text stays the same while nothing changes: a long poll waits for another one.
  Result<std::string> assignments(model::HostId host);

  // The tail of an instance's console, as its host last told it; empty when it told none.
  std::string console(model::InstanceId id);
  const UsageLog& usage() const { return usage_; }

 private:
  Result<std::string> join(const std::string& body);
  Result<std::string> report(model::HostId host, const std::string& body);
  Result<std::string> observe(model::HostId host, const std::string& body);
  Result<std::string> observe_disk(const HostRequest& request);
  Result<> note_layers(model::HostId host, HostReport& report);
  Result<> note_images(const HostReport& report);
  Result<> keep_alive(model::HostId host, model::HostObserved observed);

  state::Store& store_;
  const Clock& clock_;
  const std::string zone_;
  const Sign sign_;
  const std::string manager_;  // as hosts are told with the answer to a report
  const std::shared_ptr<SharedView> view_;
  NetworkApi networks_;
  UsageLog usage_;
  std::mutex joining_;  // one host at a time counts the uses of a token
  std::mutex mutex_;  // of all below
  std::map<model::HostId, state::LeaseId> leases_;
  std::map<model::InstanceId, std::string> consoles_;
};

}  // namespace pileus::control
