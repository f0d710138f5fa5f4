// host: for administrators.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;

// "3 of 8"
std::string part(const client::Node& host, const std::string& what) {
  return host.text("claimed/" + what) + " of " + host.text("sellable/" + what);
}

}  // namespace

Result<std::string> find_host(const client::Cloud& cloud, const std::string& text) {
  if (text.starts_with("h-")) return text;
  const client::Answer answer = TRY(cloud.call("PileusDescribeHosts", {}));
  for (const client::Node& host : answer.root.items("hostSet")) {
    if (host.text("name") == text) return host.text("hostId");
  }
  return Error(ErrorCode::kNotFound, "there is no host '" + text + "': `pileus host ls` shows those there are");
}

Result<int> host_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("PileusDescribeHosts", {}));
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "ID", "STATE", "MODE", "ZONE", "INSTANCES", "VCPUS", "MEMORY MIB", "DISK GIB"}};
  Json array = Json::array();
  for (const client::Node& host : answer.root.items("hostSet")) {
    const bool disk_full = host.text("diskFull") == "true";
    rows.push_back({printable(host.text("name")), host.text("hostId"),
                    host.text("state") + (disk_full ? ", disk full" : ""), host.text("mode"),
                    host.text("availabilityZone"), host.text("instances"), part(host, "vcpus"), part(host, "memoryMiB"),
                    part(host, "diskGiB")});
    Json object = {{"name", host.text("name")},          {"id", host.text("hostId")},
                   {"state", host.text("state")},        {"disk_full", disk_full},
                   {"mode", host.text("mode")},          {"zone", host.text("availabilityZone")},
                   {"instances", host.text("instances")}};
    for (const char* kind : {"capacity", "sellable", "claimed"}) {
      const client::Node resources = host.at(kind);
      object[kind] = {{"vcpus", resources.text("vcpus")},
                      {"memory_mib", resources.text("memoryMiB")},
                      {"disk_gib", resources.text("diskGiB")}};
    }
    array.push_back(std::move(object));
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> host_mode(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string id = TRY(find_host(cloud, line.name));
  TRY(cloud.call("PileusSetHostMode", {{"HostId", id}, {"Mode", line.command.substr(5)}}));
  return 0;
}

Result<int> host_set(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string id = TRY(find_host(cloud, line.name));
  TRY(cloud.call("PileusModifyHost", with_options(line, {{"HostId", id}})));
  return 0;
}

}  // namespace pileus::cli
