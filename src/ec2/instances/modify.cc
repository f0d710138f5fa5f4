// Changing single attributes of an instance.
#include <algorithm>
#include <array>

#include "control/resize.h"
#include "ec2/instance_types/objects.h"
#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"
#include "ec2/instances/options.h"
#include "ec2/interfaces/objects.h"
#include "ec2/internal/records.h"

namespace pileus::ec2 {
namespace {

using Entry = InstanceEntry;

Reply<> check_stopped(const Entry& entry) {
  if (entry.observed.state == model::InstanceState::kStopped) return {};
  return ApiError("IncorrectInstanceState",
                  "The instance '" + entry.desired.id.text() + "' is not in the 'stopped' state.");
}

template <typename Act>
Reply<> change(const Call& call, const Entry& entry, Act act) {
  return change_instance(call, entry.desired.id, [&](model::InstanceDesired& desired) -> Reply<> {
    act(desired);
    return {};
  });
}

Reply<> set_type(const Call& call, const Entry& entry, const Parameters& given) {
  TRY(check_stopped(entry));
  const model::InstanceType type = TRY(offered_type(call, given.get("InstanceType.Value")));
  control::Usage used;
  TRY(call.catalogue.read([&](const control::View& view) { used = view.used_by(call.account.id); }));
  if (used.vcpus - std::min<u64>(used.vcpus, entry.desired.takes.vcpus) + type.takes.vcpus > call.account.quota.vcpus) {
    return ApiError("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of " +
                                             std::to_string(call.account.quota.vcpus) + " allows");
  }
  const Result<> resized = control::resize(call.store, entry.desired.id, type);
  if (resized) return {};
  switch (resized.error().code()) {
    case ErrorCode::kExhausted: return ApiError("InsufficientInstanceCapacity", resized.error().message(), 500);
    case ErrorCode::kInvalid: return ApiError("IncorrectInstanceState", resized.error().message());
    default: return resized.error();
  }
}

Reply<> set_user_data(const Call& call, const Entry& entry, const Parameters& given) {
  TRY(check_stopped(entry));
  if (TRY(given.bytes("UserData.Value")).size() > kMaxUserData) {
    return ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
  }
  return change(call, entry, [&](auto& desired) { desired.user_data = given.get("UserData.Value"); });
}

Reply<> set_termination_protection(const Call& call, const Entry& entry, const Parameters& given) {
  const bool on = TRY(given.boolean("DisableApiTermination.Value", false));
  return change(call, entry, [&](auto& desired) { desired.termination_protected = on; });
}

Reply<> set_stop_protection(const Call& call, const Entry& entry, const Parameters& given) {
  const bool on = TRY(given.boolean("DisableApiStop.Value", false));
  return change(call, entry, [&](auto& desired) { desired.stop_protected = on; });
}

Reply<> set_shutdown_behavior(const Call& call, const Entry& entry, const Parameters& given) {
  const bool terminates = TRY(terminates_on_shutdown(given.get("InstanceInitiatedShutdownBehavior.Value")));
  return change(call, entry, [&](auto& desired) { desired.terminate_on_shutdown = terminates; });
}

Reply<> set_source_check(const Call& call, const Entry& entry, const Parameters& given) {
  const bool on = TRY(given.boolean("SourceDestCheck.Value", true));
  return change_record<model::InterfaceDesired>(call, entry.interface.id.text(), [&](auto& interface) -> Reply<> {
    interface.source_dest_check = on;
    return {};
  });
}

Reply<> set_instance_groups(const Call& call, const Entry& entry, const Parameters& given) {
  return set_groups(call, entry.interface.id, given.list("GroupId"));
}

Reply<> set_disks(const Call& call, const Entry& entry, const Parameters& given) {
  return change_instance(call, entry.desired.id, [&](model::InstanceDesired& desired) -> Reply<> {
    for (const Parameters& each : given.structures("BlockDeviceMapping")) {
      const auto disk = std::ranges::find(desired.disks, each.get("DeviceName"), &model::DiskWish::device);
      if (disk == desired.disks.end()) {
        return ApiError("InvalidInstanceAttributeValue",
                        "No device is currently mapped at " + each.get("DeviceName").substr(0, 40));
      }
      disk->delete_on_termination = TRY(each.boolean("Ebs.DeleteOnTermination", disk->delete_on_termination));
    }
    return {};
  });
}

// What every machine here has or lacks: clients may say so, and nothing else.
Reply<> accept_false(const Call&, const Entry&, const Parameters& given) {
  for (const char* name : {"EbsOptimized.Value", "EnaSupport.Value"}) {
    if (TRY(given.boolean(name, false))) {
      return ApiError("UnsupportedOperation", std::string(name) + " can only be false here");
    }
  }
  return {};
}

struct Attribute {
  std::string_view name;       // as Attribute says it, and DescribeInstanceAttribute
  std::string_view parameter;  // as newer clients say it
  Reply<> (*set)(const Call&, const Entry&, const Parameters&);
};
constexpr std::array kAttributes = {
    Attribute{"instanceType", "InstanceType.Value", set_type},
    Attribute{"userData", "UserData.Value", set_user_data},
    Attribute{"disableApiTermination", "DisableApiTermination.Value", set_termination_protection},
    Attribute{"disableApiStop", "DisableApiStop.Value", set_stop_protection},
    Attribute{"instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior.Value", set_shutdown_behavior},
    Attribute{"sourceDestCheck", "SourceDestCheck.Value", set_source_check},
    Attribute{"groupSet", "GroupId", set_instance_groups},
    Attribute{"blockDeviceMapping", "BlockDeviceMapping", set_disks},
    Attribute{"ebsOptimized", "EbsOptimized.Value", accept_false},
    Attribute{"enaSupport", "EnaSupport.Value", accept_false},
};

bool is_given(const Parameters& given, std::string_view parameter) {
  return given.all().contains(parameter) || !given.list(parameter).empty() || !given.structures(parameter).empty();
}

// The one attribute that the request changes.
Reply<const Attribute*> chosen(const Parameters& given) {
  const Attribute* found = nullptr;
  for (const Attribute& each : kAttributes) {
    if (!is_given(given, each.parameter)) continue;
    if (found != nullptr) {
      return ApiError("InvalidParameterCombination", "Fields for multiple attribute types specified");
    }
    found = &each;
  }
  if (found != nullptr) return found;
  for (const char* name : {"Kernel.Value", "Ramdisk.Value", "SriovNetSupport.Value"}) {
    if (given.has(name)) return ApiError("UnsupportedOperation", std::string(name) + " cannot be changed here");
  }
  return ApiError("InvalidParameterCombination", "No attributes specified.");
}

}  // namespace

Reply<> modify_instance_attribute(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  if (entry.observed.state == model::InstanceState::kTerminated || !entry.interface.id) {
    return ApiError("IncorrectInstanceState", "The instance '" + entry.desired.id.text() + "' is terminated");
  }
  // The older form: Attribute and Value.
  Parameters given = call.parameters;
  for (const Attribute& each : kAttributes) {
    if (given.get("Attribute") == each.name && given.has("Value")) {
      given.set(std::string(each.parameter), given.get("Value"));
    }
  }
  const Attribute* const attribute = TRY(chosen(given));
  TRY(attribute->set(call, entry, given));
  add_flag(answer, "return", true);
  return {};
}

Reply<> reset_instance_attribute(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const std::string& attribute = call.parameters.get("Attribute");
  if (attribute == "sourceDestCheck") {
    Parameters given;
    given.set("SourceDestCheck.Value", "true");
    TRY(set_source_check(call, entry, given));
  } else if (attribute == "kernel" || attribute == "ramdisk") {
    // It is that of the disk, always.
    TRY(check_stopped(entry));
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid: it cannot be reset");
  }
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
