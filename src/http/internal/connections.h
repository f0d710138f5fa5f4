// Connections: what each client's connection is at, and for how long; cuts those that take too long to say what they
// want. (libmicrohttpd's own timeout begins anew with each byte, so a client could take for ever.)
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace pileus::http {

struct PeerCertificate {
  enum class State { kUnknown, kNone, kGood, kBad };
  State state = State::kUnknown;
  std::string subject;
  std::string name;
};

struct Connection {
  enum class Phase { kIdle, kReceiving, kAnswering };
  using Time = std::chrono::steady_clock::time_point;
  int socket = -1;
  PeerCertificate peer;  // libmicrohttpd's thread only
  Phase phase = Phase::kReceiving;  // guarded by Connections
  Time since;                       // guarded by Connections
};

class Connections {
 public:
  Connections(std::chrono::seconds receiving, std::chrono::seconds idle) : receiving_(receiving), idle_(idle) {}

  Connection* open(int socket);
  // Before its socket is closed.
  void close(Connection* connection);
  void enter(Connection* connection, Connection::Phase phase);
  void cut_overdue(Connection::Time now);
  std::size_t count() const;
  // Those that are at a request.
  std::size_t busy() const;

 private:
  const std::chrono::seconds receiving_;
  const std::chrono::seconds idle_;
  mutable std::mutex mutex_;
  std::set<std::unique_ptr<Connection>> all_;  // guarded by mutex_
};

}  // namespace pileus::http
