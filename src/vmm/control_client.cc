#include "vmm/control_client.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "os/unix_socket.h"

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaxReply = 1 << 20;

}  // namespace

Result<std::string> ask(const VmDirectory& vm, Command command) {
  const os::Fd socket = TRY(os::connect_unix(vm.control_socket()));
  TRY(os::send_all(socket.get(), encode_request(command), kPatience));
  os::LineBuffer lines(kMaxReply);
  while (true) {
    const std::string some = TRY(os::receive_some(socket.get(), kPatience));
    if (some.empty()) return Error(ErrorCode::kIo, "the VM ended before it answered");
    if (!lines.append(some)) return Error(ErrorCode::kCorrupt, "the VM's answer is too long");
    const std::optional<std::string> line = lines.next();
    if (!line) continue;
    const Json reply = Json::parse(*line, nullptr, false);
    if (reply.is_object() && reply.value("ok", Json(false)) == Json(true)) return *line;
    if (reply.is_object() && reply.contains("error") && reply["error"].is_string()) {
      return Error(ErrorCode::kInvalid, reply["error"].get<std::string>());
    }
    return Error(ErrorCode::kCorrupt, "the VM's answer makes no sense");
  }
}

Result<engine::Counters> parse_stats_reply(std::string_view line) {
  const Json reply = Json::parse(line, nullptr, false);
  if (!reply.is_object() || !reply.contains("counters") || !reply["counters"].is_object()) {
    return Error(ErrorCode::kCorrupt, "the VM's answer has no counters");
  }
  engine::Counters counters;
  for (const auto& [name, value] : reply["counters"].items()) {
    if (value.is_number_unsigned()) counters.emplace_back(name, value.get<u64>());
  }
  return counters;
}

}  // namespace pileus::vmm
