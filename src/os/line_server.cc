#include "os/line_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <chrono>
#include <vector>

namespace pileus::os {
namespace {

constexpr std::chrono::milliseconds kNoPatience{0};
constexpr std::chrono::seconds kAskPatience{10};
constexpr std::size_t kChunk = 64 * kKiB;

}  // namespace

Result<std::unique_ptr<LineServer>> LineServer::create(EventLoop& loop, const std::filesystem::path& path,
                                                       std::size_t limit, Handler handler) {
  Fd listener = TRY(listen_unix(path));
  std::unique_ptr<LineServer> server(new LineServer(loop, std::move(listener), limit, std::move(handler)));
  LineServer* const raw = server.get();
  TRY(loop.add(server->listener_.get(), EPOLLIN, [raw](u32) { raw->accept_client(); }));
  return server;
}

LineServer::~LineServer() {
  loop_.call([this] {
    while (!clients_.empty()) drop(clients_.begin()->first);
    loop_.remove(listener_.get());
  });
}

void LineServer::accept_client() {
  Result<Fd> socket = accept_connection(listener_.get());
  if (!socket || clients_.size() >= kMaxClients) return;  // closing it tells the client
  const int fd = socket->get();
  if (!loop_.add(fd, EPOLLIN, [this, fd](u32) { serve(fd); })) return;
  clients_.emplace(fd, Client{std::move(socket).value(), LineBuffer(limit_)});
}

void LineServer::serve(int fd) {
  Client& client = clients_.at(fd);
  std::vector<char> chunk(kChunk);
  const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  if (!client.lines.append({chunk.data(), static_cast<std::size_t>(got)})) return drop(fd);
  while (std::optional<std::string> line = client.lines.next()) {
    if (!send_all(fd, handler_(*line), kNoPatience)) return drop(fd);
  }
}

void LineServer::drop(int fd) {
  loop_.remove(fd);
  clients_.erase(fd);
}

Result<std::string> ask_line(const std::filesystem::path& path, std::string_view request, std::size_t limit) {
  const Fd socket = TRY(connect_unix(path));
  TRY(send_all(socket.get(), request, kAskPatience));
  LineBuffer lines(limit);
  while (true) {
    const std::string some = TRY(receive_some(socket.get(), kAskPatience));
    if (some.empty()) return Error(ErrorCode::kIo, "the connection ended before the answer came");
    if (!lines.append(some)) return Error(ErrorCode::kCorrupt, "the answer is too long");
    if (std::optional<std::string> line = lines.next()) return std::move(*line);
  }
}

}  // namespace pileus::os
