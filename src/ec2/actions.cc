#include "ec2/actions.h"

#include <algorithm>
#include <array>

#include "ec2/internal/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kPages = "Filter.N.Name:s Filter.N.Value.N:s MaxResults:i NextToken:s";
#define PILEUS_PAGES "Filter.N.Name:s Filter.N.Value.N:s MaxResults:i NextToken:s"
#define PILEUS_TAGS "TagSpecification.N.ResourceType:s TagSpecification.N.Tag.N.Key:s TagSpecification.N.Tag.N.Value:s"
#define PILEUS_RULES                                                                           \
  "GroupId:s GroupName:s IpProtocol:s FromPort:i ToPort:i CidrIp:s SourceSecurityGroupName:s " \
  "IpPermissions.N.IpProtocol:s IpPermissions.N.FromPort:i IpPermissions.N.ToPort:i "          \
  "IpPermissions.N.IpRanges.N.CidrIp:s IpPermissions.N.IpRanges.N.Description:s "              \
  "IpPermissions.N.Ipv6Ranges.N.CidrIpv6:s IpPermissions.N.Groups.N.GroupId:s IpPermissions.N.Groups.N.GroupName:s"

constexpr std::array kActions = {
    Action{
        "RunInstances", "Instances", Kind::kChanges,
        "ImageId:s! InstanceType:s MinCount:i! MaxCount:i! KeyName:s SecurityGroup.N:s SecurityGroupId.N:s SubnetId:s "
        "UserData:d ClientToken:s Placement.AvailabilityZone:s Placement.GroupName:s Placement.HostId:s "
        "DisableApiTermination:b BlockDeviceMapping.N.DeviceName:s BlockDeviceMapping.N.Ebs.VolumeSize:i "
        "NetworkInterface.N.DeviceIndex:i NetworkInterface.N.SubnetId:s NetworkInterface.N.SecurityGroupId.N:s "
        "PrivateIpAddress:s " PILEUS_TAGS,
        "Launches instances of an image.", run_instances},
    Action{"DescribeInstances", "Instances", Kind::kReads, "InstanceId.N:s " PILEUS_PAGES,
           "Tells of instances, also of those terminated within the last hour.", describe_instances},
    Action{"StartInstances", "Instances", Kind::kChanges, "InstanceId.N:s", "Starts stopped instances.",
           start_instances},
    Action{"StopInstances", "Instances", Kind::kChanges, "InstanceId.N:s Force:b",
           "Stops instances: they keep their disks.", stop_instances},
    Action{"RebootInstances", "Instances", Kind::kChanges, "InstanceId.N:s", "Reboots instances.", reboot_instances},
    Action{"TerminateInstances", "Instances", Kind::kChanges, "InstanceId.N:s",
           "Ends instances for good: their disks go with them.", terminate_instances},
    Action{"DescribeInstanceStatus", "Instances", Kind::kReads, "InstanceId.N:s IncludeAllInstances:b " PILEUS_PAGES,
           "Tells whether instances are well.", describe_instance_status},
    Action{"DescribeInstanceAttribute", "Instances", Kind::kReads, "InstanceId:s! Attribute:s!",
           "Tells one attribute of an instance.", describe_instance_attribute},
    Action{"ModifyInstanceAttribute", "Instances", Kind::kChanges,
           "InstanceId:s! Attribute:s Value:s DisableApiTermination.Value:b InstanceType.Value:s UserData.Value:d "
           "GroupId.N:s",
           "Changes one attribute of an instance.", modify_instance_attribute},
    Action{"DescribeInstanceCreditSpecifications", "Instances", Kind::kReads, "InstanceId.N:s " PILEUS_PAGES,
           "Tells that instances may use their processors without credits.", describe_instance_credit_specifications},
    Action{"GetConsoleOutput", "Instances", Kind::kReads, "InstanceId:s! Latest:b",
           "The end of what an instance has written on its serial console.", get_console_output},
    Action{"DescribeInstanceTypes", "Instances", Kind::kReads, "InstanceType.N:s " PILEUS_PAGES,
           "Tells of the types that instances can be of.", describe_instance_types},
    Action{"DescribeInstanceTypeOfferings", "Instances", Kind::kReads, "LocationType:s " PILEUS_PAGES,
           "Tells where types are offered.", describe_instance_type_offerings},
    Action{"DescribeImages", "Images", Kind::kReads,
           "ImageId.N:s Owner.N:s ExecutableBy.N:s Filter.N.Name:s Filter.N.Value.N:s",
           "Tells of the images that the account may launch.", describe_images},
    Action{"CreateKeyPair", "Key pairs", Kind::kChanges, "KeyName:s! KeyType:s KeyFormat:s " PILEUS_TAGS,
           "Makes a key pair and hands out its private half, once.", create_key_pair},
    Action{"ImportKeyPair", "Key pairs", Kind::kChanges, "KeyName:s! PublicKeyMaterial:d! " PILEUS_TAGS,
           "Takes the public half of a key pair.", import_key_pair},
    Action{"DeleteKeyPair", "Key pairs", Kind::kChanges, "KeyName:s KeyPairId:s", "Forgets a key pair.",
           delete_key_pair},
    Action{"DescribeKeyPairs", "Key pairs", Kind::kReads,
           "KeyName.N:s KeyPairId.N:s IncludePublicKey:b Filter.N.Name:s Filter.N.Value.N:s", "Tells of key pairs.",
           describe_key_pairs},
    Action{"CreateSecurityGroup", "Security groups", Kind::kChanges,
           "GroupName:s! GroupDescription:s! VpcId:s " PILEUS_TAGS,
           "Makes a security group, which lets everything out and nothing in.", create_security_group},
    Action{"DeleteSecurityGroup", "Security groups", Kind::kChanges, "GroupId:s GroupName:s",
           "Deletes a security group.", delete_security_group},
    Action{"DescribeSecurityGroups", "Security groups", Kind::kReads, "GroupId.N:s GroupName.N:s " PILEUS_PAGES,
           "Tells of security groups.", describe_security_groups},
    Action{"DescribeSecurityGroupRules", "Security groups", Kind::kReads, "SecurityGroupRuleId.N:s " PILEUS_PAGES,
           "Tells of the rules of security groups.", describe_security_group_rules},
    Action{"AuthorizeSecurityGroupIngress", "Security groups", Kind::kChanges, PILEUS_RULES,
           "Adds rules for what may come in.", authorize_ingress},
    Action{"AuthorizeSecurityGroupEgress", "Security groups", Kind::kChanges, PILEUS_RULES,
           "Adds rules for what may go out.", authorize_egress},
    Action{"RevokeSecurityGroupIngress", "Security groups", Kind::kChanges, PILEUS_RULES " SecurityGroupRuleId.N:s",
           "Takes rules for what may come in away.", revoke_ingress},
    Action{"RevokeSecurityGroupEgress", "Security groups", Kind::kChanges, PILEUS_RULES " SecurityGroupRuleId.N:s",
           "Takes rules for what may go out away.", revoke_egress},
    Action{"UpdateSecurityGroupRuleDescriptionsIngress", "Security groups", Kind::kChanges, PILEUS_RULES,
           "Changes what rules for what may come in say of themselves.", describe_rules_ingress},
    Action{"UpdateSecurityGroupRuleDescriptionsEgress", "Security groups", Kind::kChanges, PILEUS_RULES,
           "Changes what rules for what may go out say of themselves.", describe_rules_egress},
    Action{"DescribeVpcs", "Networks", Kind::kReads, "VpcId.N:s " PILEUS_PAGES, "Tells of virtual networks.",
           describe_vpcs},
    Action{"DescribeVpcAttribute", "Networks", Kind::kReads, "VpcId:s! Attribute:s!",
           "Tells one attribute of a virtual network.", describe_vpc_attribute},
    Action{"DescribeSubnets", "Networks", Kind::kReads, "SubnetId.N:s " PILEUS_PAGES, "Tells of subnets.",
           describe_subnets},
    Action{"DescribeNetworkInterfaces", "Networks", Kind::kReads, "NetworkInterfaceId.N:s " PILEUS_PAGES,
           "Tells of network interfaces.", describe_network_interfaces},
    Action{"DescribeAddresses", "Networks", Kind::kReads,
           "PublicIp.N:s AllocationId.N:s Filter.N.Name:s Filter.N.Value.N:s",
           "Tells of addresses that were allocated: there are none yet.", describe_addresses},
    Action{"DescribeVolumes", "Volumes", Kind::kReads, "VolumeId.N:s " PILEUS_PAGES,
           "Tells of volumes: the root disks of instances.", describe_volumes},
    Action{"CreateTags", "Tags", Kind::kChanges, "ResourceId.N:s! Tag.N.Key:s Tag.N.Value:s", "Sets tags of objects.",
           create_tags},
    Action{"DeleteTags", "Tags", Kind::kChanges, "ResourceId.N:s! Tag.N.Key:s Tag.N.Value:s",
           "Takes tags of objects away; all of them when none is named.", delete_tags},
    Action{"DescribeTags", "Tags", Kind::kReads, kPages, "Tells of the tags of all objects.", describe_tags},
    Action{"DescribeRegions", "Places", Kind::kReads, "RegionName.N:s AllRegions:b Filter.N.Name:s Filter.N.Value.N:s",
           "Tells of the cloud's region.", describe_regions},
    Action{"DescribeAvailabilityZones", "Places", Kind::kReads,
           "ZoneName.N:s AllAvailabilityZones:b Filter.N.Name:s Filter.N.Value.N:s",
           "Tells of the zones of the region.", describe_availability_zones},
    Action{"DescribeAccountAttributes", "Account", Kind::kReads, "AttributeName.N:s",
           "Tells what the account may have.", describe_account_attributes},
    Action{"GetCallerIdentity", "Account", Kind::kReads, "", "Tells who asks (an action of STS).", get_caller_identity},
    Action{"PileusDescribeHosts", "Pileus' own", Kind::kAdministrates, "HostId.N:s",
           "Tells of the hosts of the cloud and what room they have.", pileus_describe_hosts},
    Action{"PileusSetHostMode", "Pileus' own", Kind::kAdministrates, "HostId:s! Mode:s!",
           "Makes a host active, or puts it into maintenance: then it gets no new instances.", pileus_set_host_mode},
    Action{"PileusDescribeEvents", "Pileus' own", Kind::kReads, "ResourceId:s!",
           "Tells what happened to an instance and why; to administrators, of a host too.", pileus_describe_events},
    Action{"PileusExplain", "Pileus' own", Kind::kReads, "InstanceId:s!",
           "Tells why an instance is on the host where it is.", pileus_explain},
    Action{"PileusCreateAccount", "Pileus' own", Kind::kAdministrates,
           "Name:s! AccessKeyId:s SecretAccessKey:s Administrator:b MaxInstances:i MaxVcpus:i",
           "Makes an account with an access key.", pileus_create_account},
    Action{"PileusDescribeAccounts", "Pileus' own", Kind::kAdministrates, "",
           "Tells of all accounts, without their secrets.", pileus_describe_accounts},
    Action{"PileusOpenEvents", "Pileus' own", Kind::kReads, "",
           "Gives a path at which server-sent events tell of changes that the account may see.", pileus_open_events},
    Action{"PileusOpenConsole", "Pileus' own", Kind::kChanges, "InstanceId:s!",
           "Opens the serial console of an instance, and gives a path at which server-sent events have its output.",
           pileus_open_console},
    Action{"PileusSendConsoleInput", "Pileus' own", Kind::kChanges, "InstanceId:s! Data:d!",
           "Types on the serial console of an instance that somebody has open.", pileus_send_console_input},
    Action{"PileusGetMetrics", "Pileus' own", Kind::kReads, "InstanceId:s!",
           "Tells what an instance has used of its host during the last hour.", pileus_get_metrics},
};
#undef PILEUS_PAGES
#undef PILEUS_TAGS
#undef PILEUS_RULES

// EC2 has them, and clients that fall back when they are refused should be told so.
constexpr std::array<std::string_view, 86> kUnsupported = {"AllocateAddress",
                                                           "ReleaseAddress",
                                                           "AssociateAddress",
                                                           "DisassociateAddress",
                                                           "DescribeAddressesAttribute",
                                                           "RegisterImage",
                                                           "DeregisterImage",
                                                           "CreateImage",
                                                           "CopyImage",
                                                           "DescribeImageAttribute",
                                                           "ModifyImageAttribute",
                                                           "ResetImageAttribute",
                                                           "EnableImageDeprecation",
                                                           "ImportImage",
                                                           "ExportImage",
                                                           "ImportSnapshot",
                                                           "DescribeImportImageTasks",
                                                           "DescribeImportSnapshotTasks",
                                                           "DescribeExportImageTasks",
                                                           "CreateVolume",
                                                           "DeleteVolume",
                                                           "AttachVolume",
                                                           "DetachVolume",
                                                           "ModifyVolume",
                                                           "DescribeVolumesModifications",
                                                           "DescribeVolumeStatus",
                                                           "DescribeVolumeAttribute",
                                                           "CreateSnapshot",
                                                           "CreateSnapshots",
                                                           "CopySnapshot",
                                                           "DeleteSnapshot",
                                                           "DescribeSnapshots",
                                                           "DescribeSnapshotAttribute",
                                                           "ModifySnapshotAttribute",
                                                           "CreateVpc",
                                                           "DeleteVpc",
                                                           "ModifyVpcAttribute",
                                                           "CreateDefaultVpc",
                                                           "CreateDefaultSubnet",
                                                           "CreateSubnet",
                                                           "DeleteSubnet",
                                                           "ModifySubnetAttribute",
                                                           "CreateInternetGateway",
                                                           "AttachInternetGateway",
                                                           "DetachInternetGateway",
                                                           "DeleteInternetGateway",
                                                           "DescribeInternetGateways",
                                                           "CreateRouteTable",
                                                           "DeleteRouteTable",
                                                           "DescribeRouteTables",
                                                           "AssociateRouteTable",
                                                           "DisassociateRouteTable",
                                                           "ReplaceRouteTableAssociation",
                                                           "CreateRoute",
                                                           "DeleteRoute",
                                                           "ReplaceRoute",
                                                           "CreateNetworkInterface",
                                                           "DeleteNetworkInterface",
                                                           "AttachNetworkInterface",
                                                           "DetachNetworkInterface",
                                                           "DescribeNetworkInterfaceAttribute",
                                                           "ModifyNetworkInterfaceAttribute",
                                                           "AssignPrivateIpAddresses",
                                                           "UnassignPrivateIpAddresses",
                                                           "CreateLaunchTemplate",
                                                           "CreateLaunchTemplateVersion",
                                                           "DeleteLaunchTemplate",
                                                           "DeleteLaunchTemplateVersions",
                                                           "DescribeLaunchTemplates",
                                                           "DescribeLaunchTemplateVersions",
                                                           "ModifyLaunchTemplate",
                                                           "GetLaunchTemplateData",
                                                           "ModifyInstanceMetadataOptions",
                                                           "ModifyInstanceCreditSpecification",
                                                           "ModifyInstanceMaintenanceOptions",
                                                           "MonitorInstances",
                                                           "UnmonitorInstances",
                                                           "GetPasswordData",
                                                           "DescribeDhcpOptions",
                                                           "DescribeNetworkAcls",
                                                           "DescribeVpcClassicLink",
                                                           "DescribeVpcClassicLinkDnsSupport",
                                                           "DescribeIamInstanceProfileAssociations",
                                                           "DescribePrefixLists",
                                                           "ModifySecurityGroupRules",
                                                           "GetConsoleScreenshot"};

struct Declared {
  std::string_view name;  // with N for indices
  char type;
  bool required;
};

template <typename Use>
void for_each_parameter(const Action& action, Use use) {
  std::string_view text = action.parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view each = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = each.find(':');
    if (colon == std::string_view::npos || colon + 1 >= each.size()) continue;
    use(Declared{each.substr(0, colon), each[colon + 1], each.ends_with('!')});
  }
}

// "Filter.N.Value.N" of "Filter.1.Value.2".
std::string with_n(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
    const bool number = !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    result.append(result.empty() ? "" : ".").append(number ? "N" : part);
  }
  return result;
}

const char* type_name(char type) {
  switch (type) {
    case 'i': return "whole number";
    case 'b': return "true or false";
    case 'd': return "base64";
    default: return "text";
  }
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kReads: return "reads";
    case Kind::kChanges: return "changes";
    case Kind::kAdministrates: break;
  }
  return "for administrators";
}

}  // namespace

std::span<const Action> actions() { return kActions; }

const Action* find_action(std::string_view name) {
  const auto* const found = std::ranges::find(kActions, name, &Action::name);
  return found == kActions.end() ? nullptr : found;
}

bool is_unsupported(std::string_view name) { return std::ranges::find(kUnsupported, name) != kUnsupported.end(); }

Reply<> check_parameters(const Action& action, const Parameters& parameters) {
  Reply<> refused;
  for_each_parameter(action, [&](const Declared& declared) {
    if (!declared.required || !refused.ok()) return;
    const std::size_t list = declared.name.find(".N");
    const bool given = list == std::string_view::npos ? parameters.has(declared.name)
                                                      : !parameters.list(declared.name.substr(0, list)).empty();
    if (!given) {
      refused = ApiError("MissingParameter",
                         "The request must contain the parameter " + std::string(declared.name.substr(0, list)));
    }
  });
  for (const auto& [name, value] : parameters.all()) {
    if (value.empty() || !refused.ok()) continue;
    const std::string general = with_n(name);
    for_each_parameter(action, [&](const Declared& declared) {
      if (declared.name != general || !refused.ok()) return;
      if (declared.type == 'i') {
        if (Reply<i64> number = parse_integer(name, value); !number.ok()) refused = std::move(number).error();
      }
      if (declared.type == 'b') {
        if (Reply<bool> flag = parse_boolean(name, value); !flag.ok()) refused = std::move(flag).error();
      }
    });
  }
  return refused;
}

std::string api_document() {
  std::string text =
      "# The API\n\n"
      "Made from the table of actions (`src/ec2/actions.cc`) by `pileus-cloudd --print-api`; a test holds it to be "
      "current.\n\n"
      "The API is EC2's query protocol, version 2016-11-15, with Signature V4 or V2; actions, parameters, answers and "
      "error\n"
      "codes are those of Amazon's reference. Every action takes `DryRun`. `N` in a name stands for an index, from 0 "
      "or 1.\n"
      "Names that EC2 has and this table has not are answered by `UnsupportedOperation`.\n"
      "Actions that begin with `Pileus` are our own, in the same style.\n";
  std::string_view group;
  for (const Action& action : kActions) {
    if (action.group != group) {
      group = action.group;
      text.append("\n## ").append(group).append("\n");
    }
    text.append("\n### ").append(action.name).append("\n");
    text.append(action.what).append(" (").append(kind_name(action.kind)).append(")\n");
    bool any = false;
    for_each_parameter(action, [&](const Declared& declared) {
      if (!any) text += "\n| parameter | what | |\n|---|---|---|\n";
      any = true;
      text.append("| `").append(declared.name).append("` | ").append(type_name(declared.type)).append(" | ");
      text.append(declared.required ? "required |\n" : "|\n");
    });
  }
  return text;
}

}  // namespace pileus::ec2
