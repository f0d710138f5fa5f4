// LayerServer: gives the layers of this host to other hosts of its cloud (docs/formats/host-protocol.md).
//
//   GET /v1/layers/ID                the manifest
//   GET /v1/layers/ID/data?from=N    clusters of data from number N on, at most kClustersAtOnce; the end: an empty body
//
// Only who shows a host's certificate of the cloud is answered.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "host/membership.h"
#include "http/server.h"
#include "store/layer_folder.h"

namespace pileus::host {

inline constexpr std::string_view kLayersPath = "/v1/layers/";
inline constexpr u64 kClustersAtOnce = 64;  // 4 MiB

class LayerServer {
 public:
  // At any free port of `address`.
  static Result<std::unique_ptr<LayerServer>> start(const store::LayerFolder& layers, const Membership& membership,
                                                    const std::string& address);

  // "https://10.0.0.2:41234".
  const std::string& url() const { return url_; }

  // One request, from whom it comes aside.
  http::Response answer(const std::string& path, const std::string& query);

  explicit LayerServer(store::LayerFolder layers) : layers_(std::move(layers)) {}

 private:
  // A layer that is being fetched is asked for many times in a row.
  struct Open {
    std::string id;
    store::LayerFile file;
    std::vector<u64> places;  // the clusters of data, in their order
  };
  Result<std::string> data(const std::string& id, u64 from);
  Result<std::shared_ptr<Open>> open(const std::string& id);

  const store::LayerFolder layers_;
  std::string url_;
  std::mutex mutex_;
  std::shared_ptr<Open> latest_;  // guarded by mutex_; its file is read under mutex_, too
  std::unique_ptr<http::Server> server_;
};

}  // namespace pileus::host
