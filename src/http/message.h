// Requests and replies of HTTP, as handlers and clients see them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pileus::http {

// In the order sent; a name may come more than once. Names compare without regard to case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> list) : list_(list) {}

  void add(std::string name, std::string value) { list_.emplace_back(std::move(name), std::move(value)); }
  // The first of that name; nullptr when there is none.
  const std::string* find(std::string_view name) const;
  // As find(), with an empty string for none.
  std::string_view get(std::string_view name) const;
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t size() const { return list_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

// What a server hands its handler.
struct Request {
  std::string method;  // in capitals: "GET"
  std::string path;    // as sent, percent-encoded: "/v1/hosts/a%20b"
  std::string query;   // as sent, without the '?'
  Headers headers;
  std::string body;
  std::string remote_address;  // numeric, without the port: "127.0.0.1", "::1"
  // From the client's certificate, if it has shown one that the server's CA has signed; else empty.
  std::string peer_subject;  // the distinguished name, RFC 4514: "CN=host-1,O=hosts"
  std::string peer_name;     // its common name: "host-1"
};

class Later;
class Stream;

// What a handler answers. One of three: `body` (when the other two are null); `later`: the connection waits without a
// thread until later->complete(); `stream`: status and headers go out at once, the body as it is written.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::shared_ptr<Later> later;
  std::shared_ptr<Stream> stream;
};

// A plain-text answer, with its newline.
Response text_response(int status, std::string_view text);

}  // namespace pileus::http
