#include "vmm/control_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

namespace pileus::vmm {
namespace {

// A reply fits a socket's buffer. A client that does not take its replies is dropped, not waited
// for.
constexpr std::chrono::milliseconds kNoPatience{0};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::create(os::EventLoop& loop, const std::string& path,
                                                             Handler handler) {
  os::Fd listener = TRY(os::listen_unix(path));
  std::unique_ptr<ControlServer> server(new ControlServer(loop, std::move(listener), std::move(handler)));
  ControlServer* const raw = server.get();
  TRY(loop.add(server->listener_.get(), EPOLLIN, [raw](u32) { raw->accept_client(); }));
  return server;
}

ControlServer::~ControlServer() {
  loop_.call([this] {
    while (!clients_.empty()) drop(clients_.begin()->first);
    loop_.remove(listener_.get());
  });
}

void ControlServer::accept_client() {
  Result<os::Fd> socket = os::accept_connection(listener_.get());
  if (!socket || clients_.size() >= kMaxClients) return;  // closing it tells the client
  const int fd = socket->get();
  if (!loop_.add(fd, EPOLLIN, [this, fd](u32) { serve(fd); })) return;
  clients_[fd].socket = std::move(socket).value();
}

void ControlServer::serve(int fd) {
  Client& client = clients_.at(fd);
  std::array<char, 1024> chunk;
  const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  if (!client.lines.append({chunk.data(), static_cast<std::size_t>(got)})) return drop(fd);
  while (std::optional<std::string> line = client.lines.next()) {
    const Result<Command> command = parse_request(*line);
    const std::string reply = command ? handler_(*command) : encode_error(command.error());
    if (!os::send_all(fd, reply, kNoPatience)) return drop(fd);
  }
}

void ControlServer::drop(int fd) {
  loop_.remove(fd);
  clients_.erase(fd);
}

}  // namespace pileus::vmm
