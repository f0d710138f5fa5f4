#include "host/usage.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "os/file.h"
#include "vmm/vm_directory.h"
#include "vswitch/control.h"

namespace pileus::host {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
constexpr u64 kMicrosPerSecond = 1'000'000;

std::string text_of(const fs::path& file) {
  const Result<std::string> text = os::read_file(file);
  return text ? *text : std::string();
}

control::InstanceUsage usage_of_process(const std::string& pid) {
  const fs::path folder = fs::path("/proc") / pid;
  return parse_process_usage(text_of(folder / "stat"), text_of(folder / "statm"), text_of(folder / "io"));
}

// The VMM, and the processes in which it runs guest code.
control::InstanceUsage usage_of_vmm(const std::string& pid) {
  control::InstanceUsage usage = usage_of_process(pid);
  std::error_code ignored;  // it may end at any moment
  for (const auto& thread : fs::directory_iterator(fs::path("/proc") / pid / "task", ignored)) {
    std::istringstream children(text_of(thread.path() / "children"));
    for (std::string child; children >> child;) usage.cpu_us += usage_of_process(child).cpu_us;
  }
  return usage;
}

Json switch_ports(const fs::path& folder) {
  const Result<std::string> text = vswitch::ask_switch_stats(folder);
  if (!text) return Json::object();
  Json reply = Json::parse(*text, nullptr, false);
  return reply.is_object() && reply.contains("ports") ? std::move(reply["ports"]) : Json::object();
}

u64 counter(const Json& port, const char* name) {
  const auto found = port.find(name);
  return found != port.end() && found->is_number_unsigned() ? found->get<u64>() : 0;
}

}  // namespace

control::InstanceUsage parse_process_usage(const std::string& stat, const std::string& statm, const std::string& io) {
  control::InstanceUsage usage;
  // The name of the program, in brackets, may have anything in it. After it: state and ten numbers, then utime and stime.
  constexpr int kBefore = 11;
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string skipped;
  for (int i = 0; i < kBefore; ++i) fields >> skipped;
  u64 user = 0;
  u64 system = 0;
  if (fields >> user >> system) {
    usage.cpu_us = (user + system) * kMicrosPerSecond / static_cast<u64>(::sysconf(_SC_CLK_TCK));
  }
  std::istringstream pages(statm);
  u64 size = 0;
  u64 resident = 0;
  if (pages >> size >> resident) usage.memory_bytes = resident * static_cast<u64>(::sysconf(_SC_PAGESIZE));
  std::istringstream lines(io);
  u64 value = 0;
  for (std::string name; lines >> name >> value;) {
    if (name == "read_bytes:") usage.disk_read_bytes = value;
    if (name == "write_bytes:") usage.disk_written_bytes = value;
  }
  return usage;
}

std::map<model::InstanceId, control::InstanceUsage> measure_usage(const fs::path& instances, const fs::path& network) {
  std::map<model::InstanceId, control::InstanceUsage> all;
  std::error_code ignored;  // no folder, no instances
  for (const auto& entry : fs::directory_iterator(instances, ignored)) {
    const Result<model::InstanceId> id = model::InstanceId::parse(entry.path().filename().string());
    const vmm::VmDirectory vm(entry.path());
    if (!id || !vm.in_use()) continue;
    const i64 pid = vm.state().pid;
    if (pid > 0) all[*id] = usage_of_vmm(std::to_string(pid));
  }
  if (all.empty()) return all;
  const Json ports = switch_ports(network);
  for (auto& [id, usage] : all) {
    const Result<vmm::VmConfig> config = vmm::VmDirectory(instances / id.text()).config();
    // The port is named as the file of its socket.
    const auto port = config ? ports.find(fs::path(config->switch_port).stem().string()) : ports.end();
    if (port == ports.end()) continue;
    usage.network_in_bytes = counter(*port, "bytes_to_guest");
    usage.network_out_bytes = counter(*port, "bytes_from_guest");
  }
  return all;
}

}  // namespace pileus::host
