#include "vswitch/metadata_service.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "os/unix_socket.h"

namespace pileus::vswitch {
namespace {

constexpr unsigned kMaxConnections = 1024;
constexpr std::size_t kMaxBody = 4 * kKiB;
constexpr std::chrono::seconds kPatience{10};

}  // namespace

Result<std::unique_ptr<MetadataService>> MetadataService::start(os::EventLoop& loop) {
  std::unique_ptr<MetadataService> self(new MetadataService(loop));
  http::ServerOptions options;
  options.listens = false;
  options.threads = 1;
  options.max_connections = kMaxConnections;
  options.max_body = kMaxBody;
  options.request_timeout = kPatience;
  options.idle_timeout = kPatience;
  MetadataService& service = *self;
  self->server_ =
      TRY(http::Server::start(options, [&service](const http::Request& request) { return service.handle(request); }));
  return self;
}

MetadataService::~MetadataService() {
  server_.reset();
  while (!served_.empty()) remove(std::string(served_.begin()->first));
}

Result<> MetadataService::add(const std::string& port, const std::filesystem::path& path, const Metadata& metadata) {
  const auto found = served_.find(port);
  if (found != served_.end()) {
    const std::lock_guard lock(mutex_);
    trees_.at(found->second.label).set(metadata);
    return {};
  }
  os::Fd listener = TRY(os::listen_unix(path));
  if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0) return Error::from_errno("fcntl");
  TRY(loop_.add(listener.get(), EPOLLIN, [this, port](u32) { accept(port); }));
  const std::string label = packet::ipv4_text(next_label_++);
  {
    const std::lock_guard lock(mutex_);
    trees_.emplace(label, metadata);
  }
  served_[port] = {.path = path, .listener = std::move(listener), .label = label};
  return {};
}

void MetadataService::remove(const std::string& port) {
  const auto found = served_.find(port);
  if (found == served_.end()) return;
  loop_.remove(found->second.listener.get());
  std::error_code ignored;  // somebody tidied up
  std::filesystem::remove(found->second.path, ignored);
  {
    const std::lock_guard lock(mutex_);
    trees_.erase(found->second.label);
  }
  served_.erase(found);
}

void MetadataService::accept(const std::string& port) {
  const Served& served = served_.at(port);
  // All of them at once: libslirp waits while there are many.
  while (true) {
    os::Fd connection(::accept4(served.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) return;
    const Result<> taken = server_->adopt(std::move(connection), served.label);
    if (!taken) log::debug("metadata of port {}: {}", port, taken.error().message());
  }
}

http::Response MetadataService::handle(const http::Request& request) {
  const std::lock_guard lock(mutex_);
  const auto found = trees_.find(request.remote_address);
  if (found == trees_.end()) return http::text_response(404, "this port has gone");
  return found->second.answer(request, MetadataTree::Clock::now());
}

}  // namespace pileus::vswitch
