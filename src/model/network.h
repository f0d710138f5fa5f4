// VPCs, subnets, network interfaces, addresses, security groups.
#pragma once

#include "model/instance.h"

namespace pileus::model {

// A further block of addresses of a VPC.
struct VpcBlock {
  VpcBlockId id;
  std::string cidr;
  bool operator==(const VpcBlock&) const = default;
};

struct VpcDesired {
  VpcId id;
  AccountId account;
  std::string cidr;  // "172.31.0.0/16"
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  Tags tags;
  std::vector<VpcBlock> blocks;  // besides `cidr`
  bool operator==(const VpcDesired&) const = default;
};
struct VpcObserved {
  VpcId id;
  NetworkState state = NetworkState::kPending;
  u32 vni = 0;  // VXLAN network id, 24 bits
  bool operator==(const VpcObserved&) const = default;
};

struct SubnetDesired {
  SubnetId id;
  AccountId account;
  VpcId vpc;
  std::string zone;
  std::string cidr;
  bool default_for_zone = false;
  bool public_on_launch = false;
  Tags tags;
  bool operator==(const SubnetDesired&) const = default;
};
struct SubnetObserved {
  SubnetId id;
  NetworkState state = NetworkState::kPending;
  bool operator==(const SubnetObserved&) const = default;
};

struct InterfaceDesired {
  InterfaceId id;
  AccountId account;
  SubnetId subnet;
  std::string mac;              // "02:00:00:00:00:01"
  std::string private_address;  // the same for life
  std::vector<SecurityGroupId> security_groups;
  InstanceId instance;  // none: detached
  u32 device_index = 0;
  bool source_dest_check = true;
  bool delete_on_termination = true;
  std::string description;
  Tags tags;
  bool wants_public = true;  // whether its instance gets an address that is reached from the host
  std::vector<std::string> more_addresses;  // private ones besides `private_address`
  Millis attached_since = 0;
  // An elastic address that was associated with it; none: the host gives one.
  AllocationId allocation;
  AssociationId association;
  std::string elastic_address;
  bool operator==(const InterfaceDesired&) const = default;
};
struct InterfaceObserved {
  InterfaceId id;
  InterfaceState state = InterfaceState::kPending;
  HostId host;
  AttachmentState attachment = AttachmentState::kDetached;
  bool operator==(const InterfaceObserved&) const = default;
};

struct AddressDesired {
  AllocationId id;
  AccountId account;
  std::string public_address;
  AssociationId association;  // none: free
  InterfaceId interface;
  InstanceId instance;
  Tags tags;
  bool operator==(const AddressDesired&) const = default;
};
// Gateways and routes are records: the virtual switch leads every instance outward, and those of a VPC to each other.
struct InternetGateway {
  InternetGatewayId id;
  AccountId account;
  VpcId vpc;  // none: detached
  Tags tags;
  bool operator==(const InternetGateway&) const = default;
};

struct Route {
  std::string destination;  // "0.0.0.0/0"
  // One of them.
  InternetGatewayId gateway;
  InterfaceId interface;
  InstanceId instance;  // that the interface was named by; may be none
  bool operator==(const Route&) const = default;
};
struct RouteTableAssociation {
  RouteTableAssociationId id;
  SubnetId subnet;  // none: all subnets of the VPC that have no other
  bool operator==(const RouteTableAssociation&) const = default;
};
// A VPC's main table has the VPC's own number; while it has no record, it is as it was at first.
struct RouteTable {
  RouteTableId id;
  AccountId account;
  VpcId vpc;
  std::vector<Route> routes;  // besides the local one
  std::vector<RouteTableAssociation> associations;
  Tags tags;
  bool operator==(const RouteTable&) const = default;
};

struct AddressObserved {
  AllocationId id;
  AddressState state = AddressState::kFree;
  HostId host;  // that maps it
  bool operator==(const AddressObserved&) const = default;
};

// One source or destination, as EC2's newer calls have it.
struct SecurityGroupRule {
  SecurityGroupRuleId id;
  bool egress = false;
  std::string protocol;  // "tcp", "udp", "icmp", "-1" (all), or a number
  i32 from_port = -1;    // -1: all; ICMP: type
  i32 to_port = -1;      // -1: all; ICMP: code
  std::string cidr;      // one of cidr, cidr6 and peer
  std::string cidr6;
  SecurityGroupId peer;
  std::string description;
  bool operator==(const SecurityGroupRule&) const = default;
};
// Rules have no life of their own: switches follow the record.
struct SecurityGroup {
  SecurityGroupId id;
  AccountId account;
  VpcId vpc;
  std::string name;
  std::string description;
  std::vector<SecurityGroupRule> rules;
  Tags tags;
  bool operator==(const SecurityGroup&) const = default;
};

}  // namespace pileus::model
