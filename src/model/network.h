// VPCs, subnets, network interfaces, addresses, security groups.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct VpcDesired {
  VpcId id;
  AccountId account;
  std::string cidr;  // "172.31.0.0/16"
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  Tags tags;
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
