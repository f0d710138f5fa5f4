#include "host_listener.h"

#include "base/log.h"
#include "http/certificates.h"

namespace pileus::cloudd {
namespace {

constexpr std::chrono::seconds kStopPatience{2};
constexpr std::chrono::milliseconds kLook{500};

http::Response json(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::move(body);
  return response;
}

}  // namespace

Result<std::unique_ptr<HostListener>> HostListener::start(state::Store& store, const control::Clock& clock,
                                                          CloudIdentity identity, const HostListenerOptions& options) {
  std::unique_ptr<HostListener> listener(new HostListener(store, std::move(identity.certificates)));
  HostListener& self = *listener;
  const std::string hash = identity.token.secret_hash();
  self.api_ = std::make_unique<control::HostApi>(
      store, clock, options.zone,
      [hash](const std::string& secret) {
        http::JoinToken shown;
        shown.secret = secret;
        return shown.secret_hash() == hash;
      },
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
  self.watcher_ = std::thread([&self] { self.watch(); });
  return listener;
}

HostListener::~HostListener() {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (watch_) watch_->cancel();
  }
  if (watcher_.joinable()) watcher_.join();
  if (server_) server_->stop(kStopPatience);
}

http::Response HostListener::handle(const http::Request& request) {
  if (request.path == control::kAuthorityPath) {
    http::Response response;
    response.body = certificates_.authority().certificate;
    return response;
  }
  if (request.method != "POST") return json(405, "{\"error\": \"hosts use POST\"}");
  model::HostId host;
  if (const Result<model::HostId> id = model::HostId::parse(request.peer_name)) host = *id;
  constexpr std::string_view kKnown = "known=";
  if (host && request.path == control::kAssignmentsPath && request.query.starts_with(kKnown)) {
    return wait(host, request.query.substr(kKnown.size()));
  }
  control::HostAnswer answer = api_->handle({request.path, request.body, host});
  return json(answer.status, std::move(answer.body));
}

http::Response HostListener::wait(model::HostId host, const std::string& known) {
  Result<std::string> now = api_->assignments(host);
  if (!now) return json(503, "{\"error\": \"the cloud cannot say now: try again\"}");
  if (http::sha256_hex(*now) != known) return json(200, std::move(now).value());
  http::Response response;
  response.later = http::Later::create(control::kLongPoll, json(200, *now));
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
    each.later->complete(json(200, std::move(now).value()));
    return true;
  });
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.end(), all.begin(), all.end());
}

void HostListener::watch() {
  while (!ended_) {
    if (!watch_) {
      Result<std::unique_ptr<state::Watch>> watch = store_.watch(state::KeyRange::prefix("v1/"), 0);
      if (!watch) {
        log::warn("hosts: {}", watch.error().message());
        std::this_thread::sleep_for(kLook);
        continue;
      }
      const std::lock_guard lock(mutex_);
      watch_ = std::move(watch).value();
      if (ended_) watch_->cancel();
    }
    if (!watch_->next(kLook)) {
      const std::lock_guard lock(mutex_);
      watch_.reset();
    }
    answer_changed();
  }
}

}  // namespace pileus::cloudd
