// host, type, account: for administrators.
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

Result<int> host_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("PileusDescribeHosts", {}));
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "ID", "STATE", "MODE", "ZONE", "INSTANCES", "VCPUS", "MEMORY MIB", "DISK GIB"}};
  Json array = Json::array();
  for (const client::Node& host : answer.root.items("hostSet")) {
    rows.push_back({printable(host.text("name")), host.text("hostId"), host.text("state"), host.text("mode"),
                    host.text("availabilityZone"), host.text("instances"), part(host, "vcpus"), part(host, "memoryMiB"),
                    part(host, "diskGiB")});
    Json object = {{"name", host.text("name")},
                   {"id", host.text("hostId")},
                   {"state", host.text("state")},
                   {"mode", host.text("mode")},
                   {"zone", host.text("availabilityZone")},
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
  const client::Answer answer = TRY(cloud.call("PileusDescribeHosts", {}));
  for (const client::Node& host : answer.root.items("hostSet")) {
    if (host.text("hostId") != line.name && host.text("name") != line.name) continue;
    TRY(cloud.call("PileusSetHostMode", {{"HostId", host.text("hostId")}, {"Mode", line.command.substr(5)}}));
    return 0;
  }
  return Error(ErrorCode::kNotFound, "there is no host '" + line.name + "': `pileus host ls` shows those there are");
}

Result<int> type_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"NAME", "VCPUS", "MEMORY MIB"}};
  Json array = Json::array();
  for (const client::Answer& page : TRY(cloud.pages("DescribeInstanceTypes", {}))) {
    for (const client::Node& type : page.root.items("instanceTypeSet")) {
      rows.push_back(
          {type.text("instanceType"), type.text("vCpuInfo/defaultVCpus"), type.text("memoryInfo/sizeInMiB")});
      array.push_back({{"name", rows.back()[0]}, {"vcpus", rows.back()[1]}, {"memory_mib", rows.back()[2]}});
    }
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> account_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("PileusDescribeAccounts", {}));
  std::vector<std::vector<std::string>> rows = {{"NAME", "ID", "ADMINISTRATOR", "CREATED"}};
  Json array = Json::array();
  for (const client::Node& account : answer.root.items("accountSet")) {
    rows.push_back({printable(account.text("name")), account.text("accountId"), account.text("administrator"),
                    account.text("createdAt")});
    array.push_back({{"name", rows.back()[0]},
                     {"id", rows.back()[1]},
                     {"administrator", rows.back()[2] == "true"},
                     {"created", rows.back()[3]}});
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> account_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call(
      "PileusCreateAccount", {{"Name", line.name}, {"Administrator", line.cloud.administrator ? "true" : "false"}}));
  const std::string id = answer.root.text("accountId");
  const std::string key = answer.root.text("accessKeyId");
  const std::string secret = answer.root.text("secretAccessKey");
  if (line.json) {
    print_json({{"id", id}, {"name", line.name}, {"access_key", key}, {"secret_key", secret}});
  } else {
    print_table({{"account", id}, {"access key", key}, {"secret", secret + "   (shown this once)"}});
  }
  return 0;
}

}  // namespace pileus::cli
