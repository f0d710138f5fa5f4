#include "ec2/groups.h"
#include "ec2/interfaces/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateNetworkInterface", Kind::kChanges,
           "SubnetId:s! Description:s PrivateIpAddress:s PrivateIpAddresses.N.PrivateIpAddress:s "
           "PrivateIpAddresses.N.Primary:b SecondaryPrivateIpAddressCount:i SecurityGroupId.N:s InterfaceType:s "
           "Ipv6AddressCount:i ClientToken:s " PILEUS_TAGS,
           "Makes a network interface, for an instance to be launched with.", create_network_interface},
    Action{"DeleteNetworkInterface", Kind::kChanges, "NetworkInterfaceId:s!",
           "Deletes a network interface that no instance has.", delete_network_interface},
    Action{"DescribeNetworkInterfaces", Kind::kReads, "NetworkInterfaceId.N:s " PILEUS_PAGES,
           "Tells of network interfaces.", describe_network_interfaces},
    Action{"DescribeNetworkInterfaceAttribute", Kind::kReads, "NetworkInterfaceId:s! Attribute:s!",
           "Tells one attribute of a network interface.", describe_network_interface_attribute},
    Action{"ModifyNetworkInterfaceAttribute", Kind::kChanges,
           "NetworkInterfaceId:s! SecurityGroupId.N:s SourceDestCheck.Value:b Description.Value:s "
           "Attachment.AttachmentId:s Attachment.DeleteOnTermination:b",
           "Changes a network interface.", modify_network_interface_attribute},
    Action{"AttachNetworkInterface", Kind::kChanges, "NetworkInterfaceId:s! InstanceId:s! DeviceIndex:i!",
           "Is refused: an instance has one network interface, from its launch on.", attach_network_interface},
    Action{"DetachNetworkInterface", Kind::kChanges, "AttachmentId:s! Force:b",
           "Is refused: an instance keeps its network interface.", detach_network_interface},
    Action{"AssignPrivateIpAddresses", Kind::kChanges,
           "NetworkInterfaceId:s! PrivateIpAddress.N:s SecondaryPrivateIpAddressCount:i AllowReassignment:b "
           "Ipv4Prefix.N:s Ipv4PrefixCount:i",
           "Gives a network interface further private addresses.", assign_private_ip_addresses},
    Action{"UnassignPrivateIpAddresses", Kind::kChanges, "NetworkInterfaceId:s! PrivateIpAddress.N:s",
           "Takes further private addresses from a network interface.", unassign_private_ip_addresses},
};

}  // namespace

constexpr ActionGroup kInterfaceActions = {"Network interfaces", kActions};

}  // namespace pileus::ec2
