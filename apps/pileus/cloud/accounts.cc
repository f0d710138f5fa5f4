// account: who may ask for what, by which keys.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

using Json = nlohmann::json;

// A key that was made, and the account if that is new.
void print_key(const CommandLine& line, const client::Node& made, const std::string& account) {
  const std::string key = made.text("accessKeyId");
  const std::string secret = made.text("secretAccessKey");
  if (line.json) {
    Json object = {{"name", line.name}, {"access_key", key}, {"secret_key", secret}};
    if (!account.empty()) object["id"] = account;
    print_json(object);
    return;
  }
  std::vector<std::vector<std::string>> rows;
  if (!account.empty()) rows.push_back({"account", account});
  rows.push_back({"access key", key});
  rows.push_back({"secret", secret + "   (shown this once)"});
  print_table(rows);
}

}  // namespace

Result<int> account_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("PileusDescribeAccounts", {}));
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "ID", "ADMINISTRATOR", "INSTANCES", "VCPUS", "VOLUMES GIB", "SNAPSHOTS", "ACCESS KEYS", "CREATED"}};
  Json array = Json::array();
  for (const client::Node& account : answer.root.items("accountSet")) {
    Json keys = Json::array();
    std::string text;
    for (const client::Node& key : account.items("accessKeySet")) {
      keys.push_back(key.text("accessKeyId"));
      text += (text.empty() ? "" : " ") + key.text("accessKeyId");
    }
    const auto most = [&](const char* what) { return account.text(std::string("quota/") + what); };
    rows.push_back({printable(account.text("name")), account.text("accountId"), account.text("administrator"),
                    most("instances"), most("vcpus"), most("volumeGiB"), most("snapshots"), text,
                    account.text("createdAt")});
    array.push_back({{"name", rows.back()[0]},
                     {"id", rows.back()[1]},
                     {"administrator", rows.back()[2] == "true"},
                     {"max_instances", most("instances")},
                     {"max_vcpus", most("vcpus")},
                     {"max_volume_gib", most("volumeGiB")},
                     {"max_snapshots", most("snapshots")},
                     {"access_keys", keys},
                     {"created", account.text("createdAt")}});
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> account_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Parameters wish =
      with_options(line, {{"Name", line.name}, {"Administrator", line.cloud.administrator ? "true" : "false"}});
  const client::Answer made = TRY(cloud.call("PileusCreateAccount", wish));
  print_key(line, made.root, made.root.text("accountId"));
  return 0;
}

Result<int> account_set(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("PileusModifyAccount", with_options(line, {{"Name", line.name}})));
  return 0;
}

Result<int> account_key_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer made = TRY(cloud.call("PileusCreateAccessKey", with_options(line, {{"Name", line.name}})));
  print_key(line, made.root, "");
  return 0;
}

Result<int> account_key_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("PileusDeleteAccessKey", with_options(line, {{"Name", line.name}})));
  return 0;
}

}  // namespace pileus::cli
