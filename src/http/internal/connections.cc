#include "http/internal/connections.h"

#include <sys/socket.h>

#include <algorithm>

namespace pileus::http {

Connection* Connections::open(int socket) {
  auto connection = std::make_unique<Connection>();
  connection->socket = socket;
  connection->since = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  return all_.insert(std::move(connection)).first->get();
}

void Connections::close(Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& each) { return each.get() == connection; });
  if (found != all_.end()) all_.erase(found);
}

void Connections::enter(Connection* connection, Connection::Phase phase) {
  const std::lock_guard lock(mutex_);
  connection->phase = phase;
  connection->since = std::chrono::steady_clock::now();
}

void Connections::cut_overdue(Connection::Time now) {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : all_) {
    if (connection->phase == Connection::Phase::kAnswering) continue;
    const auto limit = connection->phase == Connection::Phase::kIdle ? idle_ : receiving_;
    // libmicrohttpd sees the end of the stream and closes; the socket is its own.
    if (now - connection->since > limit) ::shutdown(connection->socket, SHUT_RDWR);
  }
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

std::size_t Connections::busy() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(), [](const auto& each) { return each->phase == Connection::Phase::kAnswering; }));
}

}  // namespace pileus::http
