// Who asks, and what the account may have.
#include <algorithm>

#include "ec2/account/handlers.h"
#include "model/network.h"

namespace pileus::ec2 {

Reply<> get_caller_identity(Call& call, pugi::xml_node answer) {
  const std::string& account = call.account.id.text();
  add(answer, "Arn", "arn:aws:iam::" + account + (call.account.administrator ? ":root" : ":user/" + call.account.name));
  add(answer, "UserId", account);
  add(answer, "Account", account);
  return {};
}

Reply<> describe_account_attributes(Call& call, pugi::xml_node answer) {
  const auto vpcs = TRY(call.records<model::VpcDesired>(model::IdKind::kVpc));
  std::string default_vpc = "none";
  for (const model::VpcDesired& vpc : vpcs) {
    if (vpc.is_default) default_vpc = vpc.id.text();
  }
  const std::vector<std::pair<std::string, std::string>> attributes = {
      {"supported-platforms", "VPC"},
      {"default-vpc", default_vpc},
      {"max-instances", std::to_string(call.account.quota.instances)},
      {"vpc-max-security-groups-per-interface", "5"}};
  const std::vector<std::string> wanted = call.parameters.list("AttributeName");
  pugi::xml_node set = add(answer, "accountAttributeSet");
  for (const auto& [name, value] : attributes) {
    if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) continue;
    pugi::xml_node item = add_item(set);
    add(item, "attributeName", name);
    add(add_item(add(item, "attributeValueSet")), "attributeValue", value);
  }
  return {};
}

}  // namespace pileus::ec2
