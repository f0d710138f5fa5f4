// host token: by what machines become hosts.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

nlohmann::json describe(const client::Node& token) {
  return {{"id", token.text("joinTokenId")},
          {"state", token.text("state")},
          {"made_by", token.text("madeBy")},
          {"once", token.text("once") == "true"},
          {"uses", std::stoul("0" + token.text("uses"))},
          {"created", token.text("createdAt")},
          {"expires", token.text("expiresAt")}};
}

}  // namespace

Result<int> host_token_create(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer made =
      TRY(cloud.call("PileusCreateJoinToken", {{"LifetimeSeconds", std::to_string(line.cloud.expires_s)},
                                               {"Once", line.cloud.once ? "true" : "false"}}));
  const std::string token = made.root.text("token");
  if (line.json) {
    nlohmann::json object = describe(made.root);
    object["token"] = token;
    print_json(object);
  } else {
    print_table({{"token", token + "   (shown this once)"},
                 {"id", made.root.text("joinTokenId")},
                 {"expires", made.root.text("expiresAt")},
                 {"for", line.cloud.once ? "one host" : "any number of hosts"}});
  }
  return 0;
}

Result<int> host_token_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const client::Answer answer = TRY(cloud.call("PileusDescribeJoinTokens", {}));
  std::vector<std::vector<std::string>> rows = {{"ID", "STATE", "USES", "EXPIRES", "MADE BY"}};
  nlohmann::json array = nlohmann::json::array();
  for (const client::Node& token : answer.root.items("joinTokenSet")) {
    rows.push_back({token.text("joinTokenId"), token.text("state"),
                    token.text("uses") + (token.text("once") == "true" ? " of 1" : ""), token.text("expiresAt"),
                    printable(token.text("madeBy"))});
    array.push_back(describe(token));
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> host_token_revoke(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("PileusRevokeJoinToken", {{"JoinTokenId", line.name}}));
  return 0;
}

}  // namespace pileus::cli
