#include "vmm/control_server.h"

namespace pileus::vmm {

Result<std::unique_ptr<ControlServer>> ControlServer::create(os::EventLoop& loop, const std::string& path,
                                                             Handler handler) {
  const auto answer = [handle = std::move(handler)](std::string_view line) {
    const Result<Request> request = parse_request(line);
    return request ? handle(*request) : encode_error(request.error());
  };
  std::unique_ptr<os::LineServer> lines = TRY(os::LineServer::create(loop, path, kMaxRequest, answer));
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(lines)));
}

}  // namespace pileus::vmm
