// ps, show, events, explain: what there is, and why.
#include <algorithm>
#include <array>
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/instance_json.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
using Json = nlohmann::json;

Json to_json(const InstanceInfo& info) {
  return {{"id", info.id},
          {"name", info.name},
          {"state", info.state},
          {"reason", info.reason},
          {"image", info.image},
          {"type", info.type},
          {"key", info.key},
          {"zone", info.zone},
          {"private_address", info.private_address},
          {"public_address", info.public_address},
          {"launched", info.launched}};
}

Result<int> cloud_ps(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"NAME", "ID", "STATE", "TYPE", "ADDRESS", "PRIVATE", "LAUNCHED"}};
  Json array = Json::array();
  for (const InstanceInfo& info : TRY(list_instances(cloud, line.cloud.all))) {
    if (line.quiet) std::printf("%s\n", info.id.c_str());
    array.push_back(to_json(info));
    rows.push_back({printable(info.name), info.id, info.state, info.type, info.public_address, info.private_address,
                    info.launched.substr(0, 19)});
  }
  if (line.json) print_json(array);
  if (!line.json && !line.quiet) print_table(rows);
  return 0;
}

Result<int> cloud_show(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo info = TRY(find_instance(cloud, line.name));
  if (line.json) {
    print_json(to_json(info));
    return 0;
  }
  std::string groups;
  for (const client::Node& group : info.node.items("groupSet")) {
    groups += (groups.empty() ? "" : ", ") + printable(group.text("groupName"));
  }
  std::vector<std::vector<std::string>> rows = {{"name", printable(info.name)},
                                                {"id", info.id},
                                                {"state", info.state},
                                                {"image", info.image},
                                                {"type", info.type},
                                                {"key", printable(info.key)},
                                                {"security groups", groups},
                                                {"zone", info.zone},
                                                {"address", info.public_address},
                                                {"private address", info.private_address},
                                                {"launched", info.launched}};
  if (!info.reason.empty()) rows.push_back({"reason", printable(info.reason)});
  print_table(rows);
  return 0;
}

Result<int> cloud_events(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const bool is_id =
      std::ranges::any_of(std::array{"h-", "jt-", "vol-", "snap-", "ami-", "key-", "sg-", "subnet-", "vpc-"},
                          [&](const char* prefix) { return line.name.starts_with(prefix); });
  const std::string id = is_id ? line.name : TRY(find_instance(cloud, line.name)).id;
  const client::Answer answer = TRY(cloud.call("PileusDescribeEvents", {{"ResourceId", id}}));
  std::vector<std::vector<std::string>> rows = {{"AT", "BY", "WHAT", "WHY"}};
  Json array = Json::array();
  for (const client::Node& event : answer.root.items("eventSet")) {
    array.push_back(
        {{"at", event.text("at")}, {"by", event.text("by")}, {"what", event.text("what")}, {"why", event.text("why")}});
    rows.push_back(
        {event.text("at"), printable(event.text("by")), printable(event.text("what")), printable(event.text("why"))});
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> cloud_explain(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo info = TRY(find_instance(cloud, line.name));
  const client::Answer answer = TRY(cloud.call("PileusExplain", {{"InstanceId", info.id}}));
  const std::string host = answer.root.text("hostId");
  const std::string target = answer.root.text("targetHostId");
  if (line.json) {
    nlohmann::json reasons = nlohmann::json::array();
    for (const client::Node& reason : answer.root.items("reasonSet")) reasons.push_back(reason.text());
    print_json({{"id", info.id}, {"host", host}, {"target", target}, {"reasons", reasons}});
    return 0;
  }
  const std::string on_its_way = target.empty() ? "" : ", on its way to " + target;
  std::printf("%s is %s%s%s\n", info.label().c_str(), host.empty() ? "on no host" : "on ", host.c_str(),
              on_its_way.c_str());
  for (const client::Node& reason : answer.root.items("reasonSet"))
    std::printf("  %s\n", printable(reason.text()).c_str());
  return 0;
}

}  // namespace pileus::cli
