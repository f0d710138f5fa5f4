// Client: requests to HTTP servers, whole or streamed, each with a deadline. libcurl does the work.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "http/message.h"

namespace pileus::http {

struct ClientOptions {
  // Files in PEM. Those left empty are not used.
  std::filesystem::path ca;           // whom to trust; empty: the system's
  std::filesystem::path certificate;  // our own, and its key
  std::filesystem::path key;
  bool trust_anyone = false;  // for what is checked by other means: see fetch_authority()
  long max_redirects = 0;  // that are followed
  bool no_own_addresses =
      false;  // refuses loopback, link-local, its interfaces' and the like: for URLs that strangers give. kPermission
  std::size_t max_body = 64 * kMiB;  // of an answer; more is kExhausted
  std::chrono::milliseconds connect_timeout{3000};  // TCP and TLS together; part of the request's time
};

// Signature V4 over a request: its headers "host" and "x-amz-date", and its body.
struct SignatureV4 {
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service;  // "ec2", "sts"
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  Headers headers;
  std::string body;
  std::optional<SignatureV4> sign;  // of send() only
  std::chrono::milliseconds timeout{30000};  // for everything, to the last byte of the answer
  // Doing it twice does no harm. Only then is it sent again when a kept connection turns out to be broken.
  bool repeatable = false;
};

// Errors of all requests. An answer of any status is no error.
//   kNotFound    no connection, or (HTTP/2) the server has refused it unread: nothing was done
//   kPermission  the server's certificate is not good: nothing was sent
//   kTimeout     no (whole) answer in time: it may have been done
//   kIo          the connection broke: it may have been done
//   kExhausted   the answer is too long
//   kBusy        cancelled
//   kInvalid     the URL or a file of the options cannot be used
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  // The next bytes of the answer's body, at least one. An empty string: nothing came in that time; the stream goes on.
  // Nothing (nullopt): its regular end. Before the first byte it waits for status and headers too.
  virtual Result<std::optional<std::string>> read(std::chrono::milliseconds timeout) = 0;
  virtual int status() const = 0;  // 0 until the headers have come
  virtual std::optional<u64> length() const = 0;  // of the body, if the headers say; of HTTP/2 it is never told
  // Ends a read() that waits, and all later ones. Any thread.
  virtual void cancel() = 0;
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> create(ClientOptions options = {});
  virtual ~Client() = default;

  // The whole answer (never with `later` or `stream`). Any thread; connections are kept and shared.
  virtual Result<Response> send(const ClientRequest& request) = 0;
  // An answer that is read as it comes. The request's timeout is that for connecting, sending and the headers. A stream
  // belongs to one thread at a time, but for cancel(). The client must outlive it.
  virtual Result<std::unique_ptr<ClientStream>> open(const ClientRequest& request) = 0;
};

}  // namespace pileus::http
