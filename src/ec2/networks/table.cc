#include "ec2/groups.h"
#include "ec2/networks/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeVpcs", Kind::kReads, "VpcId.N:s " PILEUS_PAGES, "Tells of virtual networks.", describe_vpcs},
    Action{"DescribeVpcAttribute", Kind::kReads, "VpcId:s! Attribute:s!", "Tells one attribute of a virtual network.",
           describe_vpc_attribute},
    Action{"DescribeSubnets", Kind::kReads, "SubnetId.N:s " PILEUS_PAGES, "Tells of subnets.", describe_subnets},
    Action{"DescribeNetworkInterfaces", Kind::kReads, "NetworkInterfaceId.N:s " PILEUS_PAGES,
           "Tells of network interfaces.", describe_network_interfaces},
    Action{"DescribeAddresses", Kind::kReads, "PublicIp.N:s AllocationId.N:s " PILEUS_FILTERS,
           "Tells of addresses that were allocated: there are none yet.", describe_addresses},
};

// EC2 has them, and clients that fall back when they are refused should be told so.
constexpr std::string_view kUnsupported[] = {
    "AllocateAddress",
    "ReleaseAddress",
    "AssociateAddress",
    "DisassociateAddress",
    "DescribeAddressesAttribute",
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
    "DescribeDhcpOptions",
    "DescribeNetworkAcls",
    "DescribeVpcClassicLink",
    "DescribeVpcClassicLinkDnsSupport",
    "DescribePrefixLists",
};

}  // namespace

constexpr ActionGroup kNetworkActions = {"Networks", kActions, kUnsupported};

}  // namespace pileus::ec2
