// ClientSocket: a TCP connection to a server that does not block, with or without TLS. One thread at a time.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <optional>

#include "http/client.h"
#include "http/openssl.h"
#include "os/fd.h"

namespace pileus::http {

// Whom a URL names, and what of him: "http://127.0.0.1:2379/v3/kv".
struct Target {
  bool tls = false;
  std::string host;  // an IPv6 address without its brackets
  std::string port;
  std::string authority;  // host and port as the URL has them
  std::string path;       // with the query; at least "/"
  std::string origin() const { return (tls ? "https://" : "http://") + authority; }
};
// kInvalid for what is not such a URL.
Result<Target> parse_target(const std::string& url);

class ClientSocket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // With TLS: only to a server that agrees to HTTP/2. kNotFound, kPermission and kInvalid as in client.h.
  static Result<ClientSocket> connect(const ClientOptions& options, const Target& target, Time deadline);

  int fd() const { return fd_.get(); }
  // How many bytes; 0: not now. kIo: the connection is broken, or at its end.
  Result<std::size_t> read(char* buffer, std::size_t size);
  Result<std::size_t> write(std::string_view bytes);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  explicit ClientSocket(os::Fd fd) : fd_(std::move(fd)) {}
  Result<> shake_hands(const ClientOptions& options, const Target& target, Time deadline);
  Result<std::size_t> outcome(int result, const char* what);

  os::Fd fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;  // none: plain
};

}  // namespace pileus::http
