// LineServer: answers requests of one line each on a local socket, and the asking side of it.
//
// Lives on one event loop's thread; create it before that runs, or through call().
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "os/unix_socket.h"

namespace pileus::os {

class LineServer {
 public:
  // Gives the reply with its newline. On the loop's thread; must not wait. A reply has to fit a socket's buffer: a client
  // that does not take it is dropped.
  using Handler = std::function<std::string(std::string_view line)>;
  static constexpr std::size_t kMaxClients = 16;

  // `loop` must outlive the server. A client that sends `limit` bytes without a newline is dropped.
  static Result<std::unique_ptr<LineServer>> create(EventLoop& loop, const std::filesystem::path& path,
                                                    std::size_t limit, Handler handler);
  ~LineServer();
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

 private:
  struct Client {
    Fd socket;
    LineBuffer lines;
  };
  LineServer(EventLoop& loop, Fd listener, std::size_t limit, Handler handler)
      : loop_(loop), listener_(std::move(listener)), limit_(limit), handler_(std::move(handler)) {}
  void accept_client();
  void serve(int fd);
  void drop(int fd);

  EventLoop& loop_;
  Fd listener_;
  const std::size_t limit_;
  const Handler handler_;
  std::map<int, Client> clients_;
};

// Sends `request`, a line with its newline, and gives the reply's line without. kNotFound when nobody listens at `path`;
// kCorrupt for a reply of `limit` bytes or more.
Result<std::string> ask_line(const std::filesystem::path& path, std::string_view request, std::size_t limit);

}  // namespace pileus::os
