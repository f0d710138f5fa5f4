#include "ec2/actions.h"

#include <gtest/gtest.h>

#include <set>

namespace pileus::ec2 {
namespace {

// What clients call: those without which they do not work, and those that many of them use.
constexpr std::string_view kCalled[] = {
    // must
    "RunInstances", "DescribeInstances", "StartInstances", "StopInstances", "RebootInstances", "TerminateInstances",
    "DescribeInstanceStatus", "DescribeInstanceAttribute", "ModifyInstanceAttribute", "GetConsoleOutput",
    "DescribeInstanceTypes", "DescribeInstanceCreditSpecifications", "DescribeImages", "RegisterImage",
    "DeregisterImage", "CreateImage", "DescribeImageAttribute", "ModifyImageAttribute", "CreateKeyPair",
    "ImportKeyPair", "DeleteKeyPair", "DescribeKeyPairs", "CreateSecurityGroup", "DeleteSecurityGroup",
    "DescribeSecurityGroups", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
    "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress", "DescribeSecurityGroupRules", "CreateVolume", "DeleteVolume",
    "AttachVolume", "DetachVolume", "DescribeVolumes", "CreateSnapshot", "DeleteSnapshot", "DescribeSnapshots",
    "CreateTags", "DeleteTags", "DescribeTags", "DescribeRegions", "DescribeAvailabilityZones",
    "DescribeAccountAttributes", "DescribeVpcs", "DescribeSubnets", "DescribeVpcAttribute", "DescribeNetworkInterfaces",
    "DescribeAddresses", "GetCallerIdentity",
    // should
    "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "CreateSubnet", "DeleteSubnet", "ModifySubnetAttribute",
    "CreateDefaultVpc", "CreateDefaultSubnet", "CreateInternetGateway", "AttachInternetGateway",
    "DetachInternetGateway", "DeleteInternetGateway", "DescribeInternetGateways", "CreateRouteTable",
    "DeleteRouteTable", "DescribeRouteTables", "AssociateRouteTable", "DisassociateRouteTable",
    "ReplaceRouteTableAssociation", "CreateRoute", "DeleteRoute", "ReplaceRoute", "AllocateAddress", "ReleaseAddress",
    "AssociateAddress", "DisassociateAddress", "DescribeAddressesAttribute", "CreateNetworkInterface",
    "DeleteNetworkInterface", "AttachNetworkInterface", "DetachNetworkInterface", "ModifyNetworkInterfaceAttribute",
    "DescribeNetworkInterfaceAttribute", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
    "CreateLaunchTemplate", "DeleteLaunchTemplate", "DescribeLaunchTemplates", "CreateLaunchTemplateVersion",
    "DescribeLaunchTemplateVersions", "DeleteLaunchTemplateVersions", "ModifyLaunchTemplate", "GetLaunchTemplateData",
    "ModifyVolume", "DescribeVolumesModifications", "DescribeVolumeStatus", "DescribeVolumeAttribute",
    "DescribeSnapshotAttribute", "ModifySnapshotAttribute", "CreateSnapshots", "CopySnapshot", "CopyImage",
    "ImportImage", "ImportSnapshot", "ExportImage", "DescribeImportImageTasks", "DescribeImportSnapshotTasks",
    "DescribeExportImageTasks", "DescribeInstanceTypeOfferings", "ModifyInstanceMetadataOptions", "MonitorInstances",
    "UnmonitorInstances", "GetPasswordData", "ModifySecurityGroupRules", "DescribeDhcpOptions", "DescribeNetworkAcls",
    "DescribeVpcClassicLink", "DescribeVpcClassicLinkDnsSupport", "DescribeIamInstanceProfileAssociations",
    "DescribePrefixLists", "ResetImageAttribute", "ResetInstanceAttribute", "AssociateVpcCidrBlock",
    "DisassociateVpcCidrBlock", "AssociateSubnetCidrBlock", "DisassociateSubnetCidrBlock", "EnableImageDeprecation",
    "GetEbsEncryptionByDefault", "EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault",
    "ModifyInstanceCreditSpecification", "ModifyInstanceMaintenanceOptions"};

TEST(Actions, AreAllThatClientsCall) {
  for (const std::string_view name : kCalled) EXPECT_NE(find_action(name), nullptr) << name << " is not offered";
}

TEST(Actions, HaveOneNameEach) {
  std::set<std::string_view> names;
  for (const ActionGroup* group : action_groups()) {
    for (const Action& action : group->actions) {
      EXPECT_TRUE(names.insert(action.name).second) << action.name;
    }
  }
}

// A declaration that is not of the form is read as none.
TEST(Actions, DeclareTheirParameters) {
  for (const ActionGroup* group : action_groups()) {
    for (const Action& action : group->actions) {
      std::string_view text = action.parameters;
      std::set<std::string_view> names;
      while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view each = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (each.empty()) continue;
        const std::size_t colon = each.find(':');
        ASSERT_NE(colon, std::string_view::npos) << action.name << ": " << each;
        const std::string_view type = each.substr(colon + 1);
        EXPECT_TRUE(type.size() == 1 || (type.size() == 2 && type[1] == '!')) << action.name << ": " << each;
        EXPECT_NE(std::string_view("sibd").find(type[0]), std::string_view::npos) << action.name << ": " << each;
        EXPECT_TRUE(names.insert(each.substr(0, colon)).second) << action.name << " twice: " << each;
      }
    }
  }
}

TEST(Actions, KnowTheirParameters) {
  const Action& run = *find_action("RunInstances");
  EXPECT_TRUE(has_parameter(run, "ImageId"));
  EXPECT_TRUE(has_parameter(run, "BlockDeviceMapping.3.DeviceName"));
  EXPECT_FALSE(has_parameter(run, "BlockDeviceMapping.3.<script>"));
}

}  // namespace
}  // namespace pileus::ec2
