// ControlServer: answers control_protocol.h on a socket.
//
// Lives on one event loop's thread; create it before that runs, or through call().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/line_server.h"
#include "vmm/control_protocol.h"

namespace pileus::vmm {

class ControlServer {
 public:
  // Carries out a command and gives the reply line. On the loop's thread; must not wait for the
  // guest.
  using Handler = std::function<std::string(const Request&)>;
  static constexpr std::size_t kMaxClients = os::LineServer::kMaxClients;

  // `loop` must outlive the server.
  static Result<std::unique_ptr<ControlServer>> create(os::EventLoop& loop, const std::string& path, Handler handler);

 private:
  explicit ControlServer(std::unique_ptr<os::LineServer> lines) : lines_(std::move(lines)) {}

  std::unique_ptr<os::LineServer> lines_;
};

}  // namespace pileus::vmm
