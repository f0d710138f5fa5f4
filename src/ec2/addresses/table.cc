#include "ec2/addresses/handlers.h"
#include "ec2/groups.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"AllocateAddress", Kind::kChanges,
           "Domain:s Address:s PublicIpv4Pool:s CustomerOwnedIpv4Pool:s " PILEUS_TAGS,
           "Allocates an elastic address: one of 127.78.0.0/16, reached from the host of the instance it leads to.",
           allocate_address},
    Action{"ReleaseAddress", Kind::kChanges, "AllocationId:s PublicIp:s", "Gives an elastic address back.",
           release_address},
    Action{"AssociateAddress", Kind::kChanges,
           "AllocationId:s PublicIp:s InstanceId:s NetworkInterfaceId:s PrivateIpAddress:s AllowReassociation:b",
           "Has an elastic address lead to an instance.", associate_address},
    Action{"DisassociateAddress", Kind::kChanges, "AssociationId:s PublicIp:s", "Has an elastic address lead nowhere.",
           disassociate_address},
    Action{"DescribeAddresses", Kind::kReads, "PublicIp.N:s AllocationId.N:s " PILEUS_FILTERS,
           "Tells of elastic addresses.", describe_addresses},
    Action{"DescribeAddressesAttribute", Kind::kReads, "AllocationId.N:s Attribute:s MaxResults:i NextToken:s",
           "Tells of the names of elastic addresses: they have none.", describe_addresses_attribute},
};

}  // namespace

constexpr ActionGroup kAddressActions = {"Elastic addresses", kActions};

}  // namespace pileus::ec2
