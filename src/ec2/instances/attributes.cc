// Single attributes of an instance, and what it says on its console.
#include <algorithm>

#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"
#include "ec2/pages.h"
#include "ec2/security_groups/objects.h"
#include "http/base64.h"

namespace pileus::ec2 {
namespace {

using Entry = InstanceEntry;
constexpr std::size_t kMaxConsole = 64 * kKiB;
constexpr std::size_t kMaxUserData = 16 * kKiB;

// Changes the desired record of the instance that the request names.
template <typename Change>
Reply<> change_instance(Call& call, model::InstanceId id, Change change_it) {
  return retry([&]() -> Reply<bool> {
    auto desired = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(id)));
    if (!desired.exists()) {
      return ApiError("InvalidInstanceID.NotFound", "The instance ID '" + id.text() + "' does not exist");
    }
    TRY(change_it(desired.value));
    desired.value.generation++;
    control::Change change;
    change.update(model::desired_key(id), desired.value, desired.revision);
    return TRY(change.commit(call.store)).has_value();
  });
}

ApiError incorrect_state(const Entry& entry) {
  return {"IncorrectInstanceState", "The instance '" + entry.desired.id.text() + "' is not in the 'stopped' state."};
}

}  // namespace

Reply<> describe_instance_attribute(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "instanceId", entry.desired.id.text());
  const auto value = [&](std::string_view text) { add_if(add(answer, attribute.c_str()), "value", text); };
  if (attribute == "instanceType") {
    value(entry.desired.type);
  } else if (attribute == "userData") {
    value(entry.desired.user_data);
  } else if (attribute == "disableApiTermination") {
    value(entry.desired.termination_protected ? "true" : "false");
  } else if (attribute == "disableApiStop" || attribute == "ebsOptimized" || attribute == "enaSupport") {
    value("false");
  } else if (attribute == "sourceDestCheck") {
    value(entry.interface.source_dest_check ? "true" : "false");
  } else if (attribute == "instanceInitiatedShutdownBehavior") {
    value("stop");
  } else if (attribute == "rootDeviceName") {
    value(entry.desired.disks.empty() ? std::string() : entry.desired.disks[0].device);
  } else if (attribute == "kernel" || attribute == "ramdisk" || attribute == "sriovNetSupport") {
    value("");
  } else if (attribute == "productCodes") {
    add(answer, "productCodes");
  } else if (attribute == "enclaveOptions") {
    add_flag(add(answer, "enclaveOptions"), "enabled", false);
  } else if (attribute == "groupSet") {
    const auto names = TRY(group_names(call));
    write_groups(answer, entry.desired.security_groups, names);
  } else if (attribute == "blockDeviceMapping") {
    pugi::xml_node set = add(answer, "blockDeviceMapping");
    for (const model::DiskWish& disk : entry.desired.disks) {
      pugi::xml_node item = add_item(set);
      add(item, "deviceName", disk.device);
      pugi::xml_node ebs = add(item, "ebs");
      add(ebs, "volumeId", disk.volume.text());
      add(ebs, "status", "attached");
      add_flag(ebs, "deleteOnTermination", disk.delete_on_termination);
    }
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid. Unknown attribute.");
  }
  return {};
}

Reply<> modify_instance_attribute(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const model::InstanceId id = entry.desired.id;
  // The older form: Attribute and Value.
  Parameters parameters = call.parameters;
  const std::string attribute = parameters.get("Attribute");
  if (attribute == "disableApiTermination") parameters.set("DisableApiTermination.Value", parameters.get("Value"));
  if (attribute == "instanceType") parameters.set("InstanceType.Value", parameters.get("Value"));
  if (attribute == "userData") parameters.set("UserData.Value", parameters.get("Value"));
  const bool stopped = entry.observed.state == model::InstanceState::kStopped;

  if (parameters.has("DisableApiTermination.Value")) {
    const bool on = TRY(parameters.boolean("DisableApiTermination.Value", false));
    TRY(change_instance(call, id, [&](model::InstanceDesired& desired) -> Reply<> {
      desired.termination_protected = on;
      return {};
    }));
  } else if (parameters.has("UserData.Value")) {
    if (!stopped) return incorrect_state(entry);
    if (TRY(parameters.bytes("UserData.Value")).size() > kMaxUserData) {
      return ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
    }
    TRY(change_instance(call, id, [&](model::InstanceDesired& desired) -> Reply<> {
      desired.user_data = parameters.get("UserData.Value");
      return {};
    }));
  } else if (const auto ids = parameters.list("GroupId"); !ids.empty()) {
    std::vector<model::SecurityGroupId> groups;
    for (const std::string& text : ids) groups.push_back(TRY(find_group(call, text, "")).value.id);
    TRY(change_instance(call, id, [&](model::InstanceDesired& desired) -> Reply<> {
      desired.security_groups = groups;
      return {};
    }));
  } else if (parameters.has("InstanceType.Value")) {
    return ApiError("UnsupportedOperation", "An instance keeps its type: launch a new one of the other type");
  } else {
    return ApiError("UnsupportedOperation", "This attribute cannot be changed");
  }
  add_flag(answer, "return", true);
  return {};
}

Reply<> describe_instance_credit_specifications(Call& call, pugi::xml_node answer) {
  pugi::xml_node set = add(answer, "instanceCreditSpecificationSet");
  const Page page = TRY(read_page(call.parameters));
  write_page(
      page, TRY(find_instances(call, call.parameters.list("InstanceId"))), answer,
      [](const Entry& entry) { return entry.desired.id.text(); },
      [&](const Entry& entry) {
        if (entry.observed.state == model::InstanceState::kTerminated) return;
        pugi::xml_node item = add_item(set);
        add(item, "instanceId", entry.desired.id.text());
        add(item, "cpuCredits", "unlimited");
      });
  return {};
}

Reply<> get_console_output(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  std::string output;
  if (entry.placed.host && call.settings.console_output) {
    Result<std::string> found = call.settings.console_output(entry.placed);
    if (!found && found.error().code() != ErrorCode::kNotFound) return found.error();
    if (found) output = std::move(found).value();
  }
  if (output.size() > kMaxConsole) output.erase(0, output.size() - kMaxConsole);
  add(answer, "instanceId", entry.desired.id.text());
  add_time(answer, "timestamp", call.clock.now());
  add(answer, "output", http::encode_base64(output));
  return {};
}

}  // namespace pileus::ec2
