#include "host_listener.h"

#include "base/log.h"
#include "http/certificates.h"
#include "json_response.h"

namespace pileus::cloudd {
namespace {

constexpr std::chrono::seconds kStopPatience{2};

}  // namespace

Result<std::unique_ptr<HostListener>> HostListener::start(state::Store& store, const control::Clock& clock,
                                                          http::CloudCertificates certificates,
                                                          const HostListenerOptions& options) {
  std::unique_ptr<HostListener> listener(new HostListener(clock, std::move(certificates)));
  HostListener& self = *listener;
  self.api_ = std::make_unique<control::HostApi>(
      store, clock, options.zone,
      [&self](const std::string& request, const model::HostId& id) {
        return self.certificates_.sign_host(request, id.text());
      },
      options.view);
  http::ServerOptions server;
  server.address = options.address;
  server.port = options.port;
  server.tls.certificate = self.certificates_.server().certificate;
  server.tls.key = self.certificates_.server().key;
  server.tls.client_ca = self.certificates_.authority().certificate;
  self.server_ = TRY(http::Server::start(server, [&self](const http::Request& request) {
                       return self.handle(request);
                     }).with("the port for hosts"));
  self.watcher_ = std::make_unique<ChangeWatcher>(store, [&self] { self.answer_changed(); });
  return listener;
}

HostListener::~HostListener() {
  watcher_.reset();
  if (server_) server_->stop(kStopPatience);
}

http::Response HostListener::handle(const http::Request& request) {
  if (request.path == control::kAuthorityPath) {
    http::Response response;
    response.body = certificates_.authority().certificate;
    return response;
  }
  if (request.method != "POST") return json_response(405, "{\"error\": \"hosts use POST\"}");
  model::HostId host;
  if (const Result<model::HostId> id = model::HostId::parse(request.peer_name)) host = *id;
  constexpr std::string_view kKnown = "known=";
  if (host && request.path == control::kAssignmentsPath && request.query.starts_with(kKnown)) {
    return wait(host, request.query.substr(kKnown.size()));
  }
  if (host && request.path == control::kConsoleWishesPath) return consoles_.wait(host, request.query);
  if (host && request.path == control::kConsoleOutputPath) return consoles_.output(host, request.body);
  control::HostAnswer answer = api_->handle({request.path, request.body, host});
  return json_response(answer.status, std::move(answer.body));
}

http::Response HostListener::wait(model::HostId host, const std::string& known) {
  Result<std::string> now = api_->assignments(host);
  if (!now) return json_response(503, "{\"error\": \"the cloud cannot say now: try again\"}");
  if (http::sha256_hex(*now) != known) return json_response(200, std::move(now).value());
  http::Response response;
  response.later = http::Later::create(control::kLongPoll, json_response(200, *now));
  const std::lock_guard lock(mutex_);
  waiting_.push_back({host, known, response.later});
  return response;
}

void HostListener::answer_changed() {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  std::erase_if(all, [&](const Waiting& each) {
    if (each.later->done()) return true;
    Result<std::string> now = api_->assignments(each.host);
    if (!now || http::sha256_hex(*now) == each.known) return false;
    each.later->complete(json_response(200, std::move(now).value()));
    return true;
  });
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.end(), all.begin(), all.end());
}

}  // namespace pileus::cloudd
