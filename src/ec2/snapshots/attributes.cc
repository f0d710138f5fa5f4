// Who may make volumes of a snapshot.
#include <algorithm>

#include "ec2/snapshots/handlers.h"
#include "ec2/snapshots/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kPermission = "createVolumePermission";

ApiError unknown_attribute(const std::string& attribute) {
  return {"InvalidParameterValue",
          "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid. Unknown attribute."};
}

Reply<> change_one(model::SnapshotDesired& snapshot, const std::string& group, const std::string& user, bool add) {
  if (!group.empty()) {
    if (group != "all") return ApiError("InvalidParameterValue", "The only group is 'all'");
    snapshot.is_public = add;
  }
  if (user.empty()) return {};
  const Result<model::AccountId> account = model::AccountId::parse(user);
  if (!account) return ApiError("InvalidUserID.Malformed", "Invalid user id: \"" + user.substr(0, 40) + "\"");
  std::erase(snapshot.accounts, *account);
  if (add) snapshot.accounts.push_back(*account);
  return {};
}

// Either form: CreateVolumePermission.Add.N and .Remove.N, or OperationType with UserId.N and UserGroup.N.
Reply<> change_permissions(const Parameters& given, model::SnapshotDesired& snapshot) {
  const Parameters permission = given.below("CreateVolumePermission");
  for (const Parameters& each : permission.structures("Add")) {
    TRY(change_one(snapshot, each.get("Group"), each.get("UserId"), true));
  }
  for (const Parameters& each : permission.structures("Remove")) {
    TRY(change_one(snapshot, each.get("Group"), each.get("UserId"), false));
  }
  const bool add = given.get("OperationType") != "remove";
  for (const std::string& group : given.list("UserGroup")) TRY(change_one(snapshot, group, "", add));
  for (const std::string& user : given.list("UserId")) TRY(change_one(snapshot, "", user, add));
  return {};
}

template <typename Act>
Reply<> change_snapshot(const Call& call, pugi::xml_node answer, Act act) {
  const std::string& attribute = call.parameters.get("Attribute");
  if (!attribute.empty() && attribute != kPermission) return unknown_attribute(attribute);
  const auto attempt = [&]() -> Reply<bool> {
    SnapshotEntry snapshot = TRY(own_snapshot(call, call.parameters.get("SnapshotId")));
    TRY(act(snapshot.desired));
    control::Change change;
    change.update(model::desired_key(snapshot.desired.id), snapshot.desired, snapshot.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace

Reply<> describe_snapshot_attribute(Call& call, pugi::xml_node answer) {
  const SnapshotEntry snapshot = TRY(own_snapshot(call, call.parameters.get("SnapshotId")));
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "snapshotId", snapshot.desired.id.text());
  if (attribute == "productCodes") {
    add(answer, "productCodes");
    return {};
  }
  if (attribute != kPermission) return unknown_attribute(attribute);
  pugi::xml_node set = add(answer, "createVolumePermission");
  if (snapshot.desired.is_public) add(add_item(set), "group", "all");
  for (const model::AccountId& account : snapshot.desired.accounts) add(add_item(set), "userId", account.text());
  return {};
}

Reply<> modify_snapshot_attribute(Call& call, pugi::xml_node answer) {
  return change_snapshot(
      call, answer, [&](model::SnapshotDesired& snapshot) { return change_permissions(call.parameters, snapshot); });
}

Reply<> reset_snapshot_attribute(Call& call, pugi::xml_node answer) {
  return change_snapshot(call, answer, [](model::SnapshotDesired& snapshot) -> Reply<> {
    snapshot.is_public = false;
    snapshot.accounts.clear();
    return {};
  });
}

}  // namespace pileus::ec2
