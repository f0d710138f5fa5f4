#include "ec2/groups.h"
#include "ec2/security_groups/handlers.h"

namespace pileus::ec2 {
namespace {

#define PILEUS_RULES                                                                           \
  "GroupId:s GroupName:s IpProtocol:s FromPort:i ToPort:i CidrIp:s SourceSecurityGroupName:s " \
  "IpPermissions.N.IpProtocol:s IpPermissions.N.FromPort:i IpPermissions.N.ToPort:i "          \
  "IpPermissions.N.IpRanges.N.CidrIp:s IpPermissions.N.IpRanges.N.Description:s "              \
  "IpPermissions.N.Ipv6Ranges.N.CidrIpv6:s IpPermissions.N.Groups.N.GroupId:s IpPermissions.N.Groups.N.GroupName:s"

constexpr Action kActions[] = {
    Action{"CreateSecurityGroup", Kind::kChanges, "GroupName:s! GroupDescription:s! VpcId:s " PILEUS_TAGS,
           "Makes a security group, which lets everything out and nothing in.", create_security_group},
    Action{"DeleteSecurityGroup", Kind::kChanges, "GroupId:s GroupName:s", "Deletes a security group.",
           delete_security_group},
    Action{"DescribeSecurityGroups", Kind::kReads, "GroupId.N:s GroupName.N:s " PILEUS_PAGES,
           "Tells of security groups.", describe_security_groups},
    Action{"DescribeSecurityGroupRules", Kind::kReads, "SecurityGroupRuleId.N:s " PILEUS_PAGES,
           "Tells of the rules of security groups.", describe_security_group_rules},
    Action{"AuthorizeSecurityGroupIngress", Kind::kChanges, PILEUS_RULES, "Adds rules for what may come in.",
           authorize_ingress},
    Action{"AuthorizeSecurityGroupEgress", Kind::kChanges, PILEUS_RULES, "Adds rules for what may go out.",
           authorize_egress},
    Action{"RevokeSecurityGroupIngress", Kind::kChanges, PILEUS_RULES " SecurityGroupRuleId.N:s",
           "Takes rules for what may come in away.", revoke_ingress},
    Action{"RevokeSecurityGroupEgress", Kind::kChanges, PILEUS_RULES " SecurityGroupRuleId.N:s",
           "Takes rules for what may go out away.", revoke_egress},
    Action{"UpdateSecurityGroupRuleDescriptionsIngress", Kind::kChanges, PILEUS_RULES,
           "Changes what rules for what may come in say of themselves.", describe_rules_ingress},
    Action{"UpdateSecurityGroupRuleDescriptionsEgress", Kind::kChanges, PILEUS_RULES,
           "Changes what rules for what may go out say of themselves.", describe_rules_egress},
    Action{
        "ModifySecurityGroupRules", Kind::kChanges,
        "GroupId:s! SecurityGroupRule.N.SecurityGroupRuleId:s SecurityGroupRule.N.SecurityGroupRule.IpProtocol:s "
        "SecurityGroupRule.N.SecurityGroupRule.FromPort:i SecurityGroupRule.N.SecurityGroupRule.ToPort:i "
        "SecurityGroupRule.N.SecurityGroupRule.CidrIpv4:s SecurityGroupRule.N.SecurityGroupRule.CidrIpv6:s "
        "SecurityGroupRule.N.SecurityGroupRule.ReferencedGroupId:s SecurityGroupRule.N.SecurityGroupRule.Description:s",
        "Changes rules in their places.", modify_security_group_rules},
};
#undef PILEUS_RULES

}  // namespace

constexpr ActionGroup kSecurityGroupActions = {"Security groups", kActions};

}  // namespace pileus::ec2
