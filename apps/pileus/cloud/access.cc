// key, secgroup: who may log in, and from where.
#include "cloud/commands.h"
#include "cloud/rules.h"
#include "cloud/session.h"
#include "http/base64.h"
#include "image/seed.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;

// "tcp 22 from 0.0.0.0/0"
std::string describe(const client::Node& permission) {
  const std::string protocol = permission.text("ipProtocol");
  const std::string from = permission.text("fromPort");
  const std::string to = permission.text("toPort");
  std::string text = protocol == "-1" ? "all" : protocol + " " + (from == to ? from : from + "-" + to);
  std::string whom;
  for (const client::Node& range : permission.items("ipRanges"))
    whom += (whom.empty() ? "" : ", ") + range.text("cidrIp");
  for (const client::Node& range : permission.items("ipv6Ranges"))
    whom += (whom.empty() ? "" : ", ") + range.text("cidrIpv6");
  for (const client::Node& group : permission.items("groups"))
    whom += (whom.empty() ? "" : ", ") + group.text("groupId");
  return text + " from " + whom;
}

Result<int> change_rules(image::Library& library, const CommandLine& line, const char* action) {
  const client::Cloud cloud = TRY(open_cloud(library));
  client::Parameters rules = {{line.name.starts_with("sg-") ? "GroupId" : "GroupName", line.name}};
  for (std::size_t i = 0; i < line.cloud.allow.size(); ++i) TRY(add_rule(rules, i + 1, line.cloud.allow[i]));
  TRY(cloud.call(action, rules));
  return 0;
}

}  // namespace

Result<int> key_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("DescribeKeyPairs", {}));
  std::vector<std::vector<std::string>> rows = {{"NAME", "TYPE", "FINGERPRINT", "ID"}};
  Json array = Json::array();
  for (const client::Node& key : answer.root.items("keySet")) {
    rows.push_back(
        {printable(key.text("keyName")), key.text("keyType"), key.text("keyFingerprint"), key.text("keyPairId")});
    array.push_back({{"name", key.text("keyName")},
                     {"type", key.text("keyType")},
                     {"fingerprint", key.text("keyFingerprint")},
                     {"id", key.text("keyPairId")}});
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> key_import(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string text = TRY(os::read_file(line.cloud.file));
  const std::string key = TRY(image::parse_public_key(text).with(line.cloud.file));
  TRY(cloud.call("ImportKeyPair", {{"KeyName", line.name}, {"PublicKeyMaterial", http::encode_base64(key)}}));
  return 0;
}

Result<int> key_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("DescribeKeyPairs", {{"KeyName.1", line.name}}));
  TRY(cloud.call("DeleteKeyPair", {{"KeyName", line.name}}));
  return 0;
}

Result<int> group_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"NAME", "ID", "LETS IN", "WHAT"}};
  Json array = Json::array();
  for (const client::Answer& page : TRY(cloud.pages("DescribeSecurityGroups", {}))) {
    for (const client::Node& group : page.root.items("securityGroupInfo")) {
      std::vector<std::string> rules;
      std::string text;
      for (const client::Node& permission : group.items("ipPermissions")) {
        rules.push_back(describe(permission));
        text += (text.empty() ? "" : "; ") + rules.back();
      }
      rows.push_back(
          {printable(group.text("groupName")), group.text("groupId"), text, printable(group.text("groupDescription"))});
      array.push_back({{"name", group.text("groupName")},
                       {"id", group.text("groupId")},
                       {"lets_in", rules},
                       {"description", group.text("groupDescription")}});
    }
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> group_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const std::string what = line.cloud.text.empty() ? line.name : line.cloud.text;
  TRY(cloud.call("CreateSecurityGroup", {{"GroupName", line.name}, {"GroupDescription", what}}));
  return 0;
}

Result<int> group_allow(image::Library& library, const CommandLine& line) {
  return change_rules(library, line, "AuthorizeSecurityGroupIngress");
}

Result<int> group_deny(image::Library& library, const CommandLine& line) {
  return change_rules(library, line, "RevokeSecurityGroupIngress");
}

Result<int> group_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("DeleteSecurityGroup", {{line.name.starts_with("sg-") ? "GroupId" : "GroupName", line.name}}));
  return 0;
}

}  // namespace pileus::cli
