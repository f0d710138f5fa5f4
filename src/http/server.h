// Server: HTTP/1.1 on one address, with or without TLS. libmicrohttpd does the work.
//
// One thread waits for all connections (epoll); a pool of threads runs the handler, each request on one of them. A
// connection whose answer comes later (Later) or bit by bit (Stream) costs memory and a descriptor, but no thread. All
// is bounded: connections, sizes, waiting requests, and the time a client may take.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "http/message.h"
#include "os/fd.h"

namespace pileus::http {

// Runs on a thread of the pool, several at the same time; must not wait long: see Later.
using Handler = std::function<Response(const Request&)>;

struct ServerTls {
  std::string certificate;  // PEM: the server's, then those up to its CA
  std::string key;          // PEM
  // PEM: whose signature makes a client's certificate good. Empty: clients are not asked for one. A client without one is
  // served, with an empty Request::peer_name; one with a certificate that is not good gets 403.
  std::string client_ca;
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
  u16 port = 0;  // 0: the kernel chooses
  bool listens = true;  // false: only what adopt() hands over is served
  ServerTls tls;  // used when it has a certificate
  unsigned threads = 8;  // that run handlers
  unsigned max_waiting = 1024;  // requests that wait for such a thread; more get 503
  unsigned max_connections = 4096;  // more are closed at once
  std::size_t max_header = 32 * kKiB;  // request line and headers together; more gets 431 (or 414)
  std::size_t max_body = 4 * kMiB;  // more gets 413
  std::chrono::seconds request_timeout{
      30};  // from connecting, or the end of the answer before, to the end of the request
  std::chrono::seconds idle_timeout{75};  // without a byte either way, while nothing is being answered
};

class Server {
 public:
  // Serves from when this returns. kBusy when somebody has the port.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  // stop() with no time to finish.
  virtual ~Server() = default;

  virtual u16 port() const = 0;
  // Serves a connection that somebody else has accepted. `remote_address`, an IPv4 address, is what requests say they are
  // from. Any thread.
  virtual Result<> adopt(os::Fd connection, const std::string& remote_address) = 0;
  // An orderly end: takes no more connections, waits at most so long for handlers to return and their answers to be
  // sent, answers what waits with 503, ends streams and closes all connections. May be called again.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

// An answer to come: a long poll. The handler returns it in Response::later; whoever has news completes it. Any thread.
class Later {
 public:
  // If nobody completes it within `timeout`, `otherwise` is the answer.
  static std::shared_ptr<Later> create(std::chrono::milliseconds timeout, Response otherwise);
  virtual ~Later() = default;
  // The answer: a body or a stream. False when it was too late: answered already, the time over, or the server stopped.
  virtual bool complete(Response response) = 0;
  // Nobody waits for it any more.
  virtual bool done() const = 0;
};

// An answer without end, e.g. server-sent events. The handler returns it in Response::stream. Any thread.
class Stream {
 public:
  // A client that takes nothing until `max_waiting` bytes wait for it is disconnected.
  static std::shared_ptr<Stream> create(std::size_t max_waiting = 1 * kMiB);
  virtual ~Stream() = default;
  // False when the client has gone (which is noticed with the write after it), is too slow, or the server stopped.
  virtual bool write(std::string_view data) = 0;
  // The answer is complete. What waits is still sent.
  virtual void close() = 0;
  // Nobody reads it any more, or it was closed.
  virtual bool closed() const = 0;
};

}  // namespace pileus::http
