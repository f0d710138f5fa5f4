// Rules of security groups: as clients send them, and as they are shown.
#pragma once

#include <map>

#include "ec2/security_groups/objects.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// The rules that a request names, in either form: IpPermissions.N, or CidrIp with IpProtocol, FromPort and ToPort. Ids
// are none. InvalidParameterValue, InvalidPermission.Malformed, MissingParameter, InvalidGroup.NotFound.
Reply<std::vector<model::SecurityGroupRule>> read_rules(const Call& call, bool egress);

// Those of one IpPermissions.N.
Reply<std::vector<model::SecurityGroupRule>> read_permission(const Call& call, const Parameters& permission,
                                                             bool egress);

// Protocol, ports and the other side are the same; the description does not matter.
bool same_rule(const model::SecurityGroupRule& one, const model::SecurityGroupRule& other);

// <ipPermissions> or <ipPermissionsEgress>: rules of the same protocol and ports make one item.
void write_permissions(pugi::xml_node parent, const model::SecurityGroup& group, bool egress);
// An item of <securityGroupRuleSet>.
void write_rule(pugi::xml_node set, const model::SecurityGroup& group, const model::SecurityGroupRule& rule);

}  // namespace pileus::ec2
