// ControlServer: answers control_protocol.h on a socket.
//
// Lives on one event loop's thread; create it before that runs, or through call().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "os/unix_socket.h"
#include "vmm/control_protocol.h"

namespace pileus::vmm {

class ControlServer {
 public:
  // Carries out a command and gives the reply line. On the loop's thread; must not wait for the
  // guest.
  using Handler = std::function<std::string(Command)>;
  static constexpr std::size_t kMaxClients = 16;

  // `loop` must outlive the server.
  static Result<std::unique_ptr<ControlServer>> create(os::EventLoop& loop, const std::string& path, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct Client {
    os::Fd socket;
    os::LineBuffer lines{kMaxRequest};
  };
  ControlServer(os::EventLoop& loop, os::Fd listener, Handler handler)
      : loop_(loop), listener_(std::move(listener)), handler_(std::move(handler)) {}
  void accept_client();
  void serve(int fd);
  void drop(int fd);

  os::EventLoop& loop_;
  os::Fd listener_;
  Handler handler_;
  std::map<int, Client> clients_;
};

}  // namespace pileus::vmm
