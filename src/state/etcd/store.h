// The state store in an etcd cluster (3.4 or newer), by its gRPC API.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/client.h"
#include "state/store.h"

namespace pileus::state::etcd {

struct Options {
  std::vector<std::string> endpoints;  // of the members: "http://127.0.0.1:2379"
  http::ClientOptions client;          // TLS
  std::chrono::milliseconds patience{10000};  // of one request, all members together
};

// Needs no member to be there yet.
Result<std::unique_ptr<Store>> open(Options options);

}  // namespace pileus::state::etcd
