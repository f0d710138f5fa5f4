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
  } else if (attribute == "disableApiStop") {
    value(entry.desired.stop_protected ? "true" : "false");
  } else if (attribute == "ebsOptimized" || attribute == "enaSupport") {
    value("false");
  } else if (attribute == "sourceDestCheck") {
    value(entry.interface.source_dest_check ? "true" : "false");
  } else if (attribute == "instanceInitiatedShutdownBehavior") {
    value(entry.desired.terminate_on_shutdown ? "terminate" : "stop");
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
        add(item, "cpuCredits", entry.desired.cpu_credits);
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
