// An instance as the data of a launch template, to launch more like it.
#include "ec2/instances/objects.h"
#include "ec2/launch_templates/data.h"
#include "ec2/launch_templates/handlers.h"

namespace pileus::ec2 {

Reply<> get_launch_template_data(Call& call, pugi::xml_node answer) {
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const model::InstanceDesired& desired = entry.desired;
  Parameters data;
  const auto put = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) data.set(name, value);
  };
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  put("ImageId", desired.image.text());
  put("InstanceType", desired.type);
  put("KeyName", desired.key_name);
  put("UserData", desired.user_data);
  put("Placement.AvailabilityZone", desired.wish.zone);
  put("Monitoring.Enabled", flag(desired.monitored));
  put("DisableApiTermination", flag(desired.termination_protected));
  put("DisableApiStop", flag(desired.stop_protected));
  put("InstanceInitiatedShutdownBehavior", desired.terminate_on_shutdown ? "terminate" : "stop");
  put("CreditSpecification.CpuCredits", desired.cpu_credits);
  put("MetadataOptions.HttpTokens", desired.metadata.token_required ? "required" : "optional");
  put("MetadataOptions.HttpPutResponseHopLimit", std::to_string(desired.metadata.hop_limit));
  put("MetadataOptions.HttpEndpoint", desired.metadata.enabled ? "enabled" : "disabled");
  put("MetadataOptions.InstanceMetadataTags", desired.metadata.tags ? "enabled" : "disabled");
  put("NetworkInterface.1.DeviceIndex", "0");
  put("NetworkInterface.1.SubnetId", desired.subnet.text());
  put("NetworkInterface.1.DeleteOnTermination", flag(entry.interface.delete_on_termination));
  std::size_t count = 0;
  for (const model::SecurityGroupId group : desired.security_groups) {
    put("NetworkInterface.1.SecurityGroupId." + std::to_string(++count), group.text());
  }
  for (std::size_t i = 0; i < desired.disks.size(); ++i) {
    const std::string name = "BlockDeviceMapping." + std::to_string(i + 1) + ".";
    put(name + "DeviceName", desired.disks[i].device);
    put(name + "Ebs.VolumeSize", std::to_string(desired.disks[i].size_gib));
    put(name + "Ebs.DeleteOnTermination", flag(desired.disks[i].delete_on_termination));
  }
  count = 0;
  if (!desired.tags.empty()) put("TagSpecification.1.ResourceType", "instance");
  for (const auto& [key, value] : desired.tags) {
    const std::string name = "TagSpecification.1.Tag." + std::to_string(++count) + ".";
    put(name + "Key", key);
    data.set(name + "Value", value);
  }
  write_template_data(add(answer, "launchTemplateData"), data);
  return {};
}

}  // namespace pileus::ec2
