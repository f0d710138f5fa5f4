// Single attributes of an image: who may launch it, what it says of itself, until when it is shown.
#include <algorithm>
#include <ctime>

#include "ec2/images/handlers.h"
#include "ec2/images/write.h"

namespace pileus::ec2 {
namespace {

ApiError unknown_attribute(const std::string& attribute) {
  return {"InvalidParameterValue",
          "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid. Unknown attribute."};
}

template <typename Act>
Reply<> change_image(const Call& call, pugi::xml_node answer, Act act) {
  const auto attempt = [&]() -> Reply<bool> {
    Image image = TRY(own_image(call, call.parameters.get("ImageId")));
    if (image.of_library()) {
      return ApiError("OperationNotPermitted",
                      "The image '" + image.desired.name + "' is of the library, which says how it is");
    }
    TRY(act(image.desired));
    control::Change change;
    change.update(model::desired_key(image.desired.id), image.desired, image.revision);
    TRY(tell(call, change, image.desired.id, "changed", call.parameters.get("Action")));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> change_one(model::ImageDesired& image, const std::string& group, const std::string& user, bool add) {
  if (!group.empty()) {
    if (group != "all") return ApiError("InvalidParameterValue", "The only group is 'all'");
    image.is_public = add;
  }
  if (user.empty()) return {};
  if (!model::AccountId::parse(user)) {
    return ApiError("InvalidUserID.Malformed", "Invalid user id: \"" + user.substr(0, 40) + "\"");
  }
  std::erase(image.launch_accounts, user);
  if (add) image.launch_accounts.push_back(user);
  return {};
}

// Either form: LaunchPermission.Add.N and .Remove.N, or OperationType with UserId.N and UserGroup.N.
Reply<> change_permissions(const Parameters& given, model::ImageDesired& image) {
  const Parameters permission = given.below("LaunchPermission");
  for (const Parameters& each : permission.structures("Add")) {
    TRY(change_one(image, each.get("Group"), each.get("UserId"), true));
  }
  for (const Parameters& each : permission.structures("Remove")) {
    TRY(change_one(image, each.get("Group"), each.get("UserId"), false));
  }
  const bool add = given.get("OperationType") != "remove";
  for (const std::string& group : given.list("UserGroup")) TRY(change_one(image, group, "", add));
  for (const std::string& user : given.list("UserId")) TRY(change_one(image, "", user, add));
  return {};
}

// "2026-11-28T12:00:00Z", with or without a fraction.
Reply<model::Millis> parse_time(const std::string& text) {
  std::tm parts = {};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  const std::time_t seconds = end == nullptr ? 0 : ::timegm(&parts);
  if (seconds <= 0) {
    return ApiError("InvalidParameterValue", "'" + text.substr(0, 40) + "' is no time as 2026-11-28T12:00:00Z");
  }
  return static_cast<model::Millis>(seconds) * 1000;
}

}  // namespace

Reply<> describe_image_attribute(Call& call, pugi::xml_node answer) {
  const Image image = TRY(own_image(call, call.parameters.get("ImageId")));
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "imageId", image.desired.id.text());
  if (attribute == "launchPermission") {
    pugi::xml_node set = add(answer, "launchPermission");
    if (image.desired.is_public) add(add_item(set), "group", "all");
    for (const std::string& account : image.desired.launch_accounts) add(add_item(set), "userId", account);
  } else if (attribute == "description") {
    add(add(answer, "description"), "value", image.desired.description);
  } else if (attribute == "blockDeviceMapping") {
    write_image_disks(add(answer, "blockDeviceMapping"), image);
  } else if (attribute == "productCodes") {
    add(answer, "productCodes");
  } else if (attribute == "kernel" || attribute == "ramdisk" || attribute == "sriovNetSupport") {
    add(answer, attribute.c_str());
  } else if (attribute == "bootMode") {
    add(add(answer, "bootMode"), "value", "legacy-bios");
  } else {
    return unknown_attribute(attribute);
  }
  return {};
}

Reply<> modify_image_attribute(Call& call, pugi::xml_node answer) {
  const Parameters& given = call.parameters;
  const std::string& attribute = given.get("Attribute");
  const bool described = given.has("Description.Value") || attribute == "description";
  if (!attribute.empty() && attribute != "description" && attribute != "launchPermission") {
    return unknown_attribute(attribute);
  }
  return change_image(call, answer, [&](model::ImageDesired& image) -> Reply<> {
    if (!described) return change_permissions(given, image);
    image.description = given.has("Description.Value") ? given.get("Description.Value") : given.get("Value");
    return {};
  });
}

Reply<> reset_image_attribute(Call& call, pugi::xml_node answer) {
  if (call.parameters.get("Attribute") != "launchPermission") {
    return unknown_attribute(call.parameters.get("Attribute"));
  }
  return change_image(call, answer, [](model::ImageDesired& image) -> Reply<> {
    image.is_public = false;
    image.launch_accounts.clear();
    return {};
  });
}

Reply<> enable_image_deprecation(Call& call, pugi::xml_node answer) {
  const model::Millis when = TRY(parse_time(call.parameters.get("DeprecateAt")));
  if (when <= call.clock.now()) return ApiError("InvalidParameterValue", "DeprecateAt lies in the past");
  return change_image(call, answer, [&](model::ImageDesired& image) -> Reply<> {
    image.deprecate_at = when;
    return {};
  });
}

Reply<> disable_image_deprecation(Call& call, pugi::xml_node answer) {
  return change_image(call, answer, [](model::ImageDesired& image) -> Reply<> {
    image.deprecate_at = 0;
    return {};
  });
}

}  // namespace pileus::ec2
