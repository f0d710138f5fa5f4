#include "vmm/control_client.h"

#include <nlohmann/json.hpp>

#include "os/line_server.h"
#include "vmm/internal/json_reader.h"

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxReply = 1 << 20;

}  // namespace

Result<std::string> ask(const VmDirectory& vm, const Request& request) {
  std::string line = TRY(os::ask_line(vm.control_socket(), encode_request(request), kMaxReply).with("the VM"));
  const Json reply = Json::parse(line, nullptr, false);
  if (reply.is_object() && reply.value("ok", Json(false)) == Json(true)) return line;
  if (reply.is_object() && reply.contains("error") && reply["error"].is_string()) {
    return Error(ErrorCode::kInvalid, reply["error"].get<std::string>());
  }
  return Error(ErrorCode::kCorrupt, "the VM's answer makes no sense");
}

Request attach_disk(const std::string& id, const std::string& path, const std::string& device, bool read_only) {
  Request request(Command::kDiskAttach);
  request.disk.disks = {id};
  request.disk.path = path;
  request.disk.device = device;
  request.disk.read_only = read_only;
  return request;
}

Request detach_disk(const std::string& id, bool force) {
  Request request(Command::kDiskDetach);
  request.disk.disks = {id};
  request.disk.force = force;
  return request;
}

Request resize_disk(const std::string& id, u64 bytes) {
  Request request(Command::kDiskResize);
  request.disk.disks = {id};
  request.disk.bytes = bytes;
  return request;
}

Request snapshot_disks(std::vector<std::string> ids, const std::string& mark) {
  Request request(Command::kDiskSnapshot);
  request.disk.disks = std::move(ids);
  request.disk.mark = mark;
  return request;
}

Result<std::vector<DiskStatus>> parse_disks_reply(std::string_view line) {
  const Json reply = Json::parse(line, nullptr, false);
  if (!reply.is_object() || !reply.contains("disks") || !reply["disks"].is_array()) {
    return Error(ErrorCode::kCorrupt, "the VM's answer has no disks");
  }
  std::vector<DiskStatus> disks;
  for (const Json& entry : reply["disks"]) {
    DiskStatus& disk = disks.emplace_back();
    JsonReader reader(entry);
    reader.text("id", disk.id);
    reader.text("path", disk.path);
    reader.text("device", disk.device);
    reader.number("bytes", disk.bytes);
    reader.flag("read_only", disk.read_only);
    reader.number("place", disk.place);
    reader.number("layers", disk.layers);
    reader.flag("detaching", disk.detaching);
    if (!reader.wrong().empty()) return Error(ErrorCode::kCorrupt, "the VM's answer lacks \"" + reader.wrong() + "\"");
  }
  return disks;
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
