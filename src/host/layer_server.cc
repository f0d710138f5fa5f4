#include "host/layer_server.h"

#include <charconv>

#include "model/id.h"
#include "os/file.h"

namespace pileus::host {
namespace {

constexpr std::string_view kData = "/data";
constexpr std::string_view kFrom = "from=";
constexpr unsigned kThreads = 2;  // others' copying is not to take this host from its VMs

http::Response binary(std::string body) {
  http::Response response;
  response.headers = {{"Content-Type", "application/octet-stream"}};
  response.body = std::move(body);
  return response;
}

http::Response refusal(int status, const std::string& why) { return http::text_response(status, why); }

std::optional<u64> number_in(std::string_view query) {
  if (!query.starts_with(kFrom)) return std::nullopt;
  query.remove_prefix(kFrom.size());
  u64 number = 0;
  const auto [end, error] = std::from_chars(query.data(), query.data() + query.size(), number);
  if (error != std::errc() || end != query.data() + query.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<std::unique_ptr<LayerServer>> LayerServer::start(const store::LayerFolder& layers, const Membership& membership,
                                                        const std::string& address) {
  auto self = std::make_unique<LayerServer>(layers);
  http::ServerOptions options;
  options.address = address;
  options.threads = kThreads;
  const http::ClientOptions files = membership.client_options();
  options.tls.certificate = TRY(os::read_file(files.certificate));
  options.tls.key = TRY(os::read_file(files.key));
  options.tls.client_ca = TRY(os::read_file(files.ca));
  self->server_ = TRY(http::Server::start(options, [server = self.get()](const http::Request& request) {
                        if (!model::HostId::parse(request.peer_name)) return refusal(403, "only hosts of the cloud");
                        if (request.method != "GET") return refusal(405, "layers are only read");
                        return server->answer(request.path, request.query);
                      }).with("the port for layers"));
  const bool is_ipv6 = address.find(':') != std::string::npos;
  self->url_ = "https://" + (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(self->server_->port());
  return self;
}

http::Response LayerServer::answer(const std::string& path, const std::string& query) {
  if (!path.starts_with(kLayersPath)) return refusal(404, "there are only layers here");
  std::string id = path.substr(kLayersPath.size());
  const bool wants_data = id.ends_with(kData);
  if (wants_data) id.resize(id.size() - kData.size());
  if (!store::is_layer_id(id)) return refusal(400, "that is no layer's id");
  const std::optional<u64> from = wants_data ? number_in(query) : 0;
  if (!from) return refusal(400, "the data of a layer is asked for from=N on");
  Result<std::string> body = wants_data ? data(id, *from) : layers_.encoded_manifest(id);
  if (!body && body.error().code() == ErrorCode::kNotFound) return refusal(404, "this host has no such layer");
  if (!body) return refusal(500, body.error().message());
  return binary(std::move(body).value());
}

// Under mutex_.
Result<std::shared_ptr<LayerServer::Open>> LayerServer::open(const std::string& id) {
  if (latest_ && latest_->id == id) return latest_;
  const store::Layer layer = TRY(layers_.layer(id));
  const store::Manifest manifest = TRY(layers_.manifest(id));
  store::LayerFile file = TRY(store::LayerFile::open(layer.file, layer.raw));
  auto opened = std::make_shared<Open>(Open{id, std::move(file), {}});
  for (u64 i = 0; i < manifest.clusters.size(); ++i) {
    if (manifest.clusters[i] == store::ClusterState::kData) opened->places.push_back(i);
  }
  latest_ = opened;
  return opened;
}

Result<std::string> LayerServer::data(const std::string& id, u64 from) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<Open> layer = TRY(open(id));
  const u64 total = layer->places.size();
  const u64 count = from < total ? std::min(kClustersAtOnce, total - from) : 0;
  std::string body(count * store::kCluster, '\0');
  for (u64 i = 0; i < count; ++i) {
    const std::span<u8> piece(reinterpret_cast<u8*>(body.data()) + i * store::kCluster, store::kCluster);
    TRY(layer->file.read(layer->places[from + i], piece));
  }
  return body;
}

}  // namespace pileus::host
