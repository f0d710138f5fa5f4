#include "ec2/groups.h"
#include "ec2/networks/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateVpc", Kind::kChanges, "CidrBlock:s! InstanceTenancy:s AmazonProvidedIpv6CidrBlock:b " PILEUS_TAGS,
           "Makes a virtual network.", create_vpc},
    Action{"DeleteVpc", Kind::kChanges, "VpcId:s!", "Deletes a virtual network in which nothing is.", delete_vpc},
    Action{"DescribeVpcs", Kind::kReads, "VpcId.N:s " PILEUS_PAGES, "Tells of virtual networks.", describe_vpcs},
    Action{"DescribeVpcAttribute", Kind::kReads, "VpcId:s! Attribute:s!", "Tells one attribute of a virtual network.",
           describe_vpc_attribute},
    Action{"ModifyVpcAttribute", Kind::kChanges,
           "VpcId:s! EnableDnsSupport.Value:b EnableDnsHostnames.Value:b EnableNetworkAddressUsageMetrics.Value:b",
           "Changes one attribute of a virtual network.", modify_vpc_attribute},
    Action{"AssociateVpcCidrBlock", Kind::kChanges, "VpcId:s! CidrBlock:s AmazonProvidedIpv6CidrBlock:b",
           "Gives a virtual network a further block of addresses.", associate_vpc_cidr_block},
    Action{"DisassociateVpcCidrBlock", Kind::kChanges, "AssociationId:s!",
           "Takes a further block of addresses from a virtual network.", disassociate_vpc_cidr_block},
    Action{"CreateDefaultVpc", Kind::kChanges, "", "Makes the default network anew, after it was deleted.",
           create_default_vpc},
    Action{"CreateSubnet", Kind::kChanges,
           "VpcId:s! CidrBlock:s! AvailabilityZone:s AvailabilityZoneId:s Ipv6CidrBlock:s Ipv6Native:b " PILEUS_TAGS,
           "Makes a subnet.", create_subnet},
    Action{"DeleteSubnet", Kind::kChanges, "SubnetId:s!", "Deletes a subnet in which nothing is.", delete_subnet},
    Action{"DescribeSubnets", Kind::kReads, "SubnetId.N:s " PILEUS_PAGES, "Tells of subnets.", describe_subnets},
    Action{"ModifySubnetAttribute", Kind::kChanges,
           "SubnetId:s! MapPublicIpOnLaunch.Value:b AssignIpv6AddressOnCreation.Value:b EnableDns64.Value:b "
           "PrivateDnsHostnameTypeOnLaunch:s EnableResourceNameDnsARecordOnLaunch.Value:b "
           "EnableResourceNameDnsAAAARecordOnLaunch.Value:b MapCustomerOwnedIpOnLaunch.Value:b",
           "Changes whether instances of a subnet get an address that is reached from their host.",
           modify_subnet_attribute},
    Action{"CreateDefaultSubnet", Kind::kChanges, "AvailabilityZone:s!",
           "Makes the default subnet of a zone anew, after it was deleted.", create_default_subnet},
    Action{"AssociateSubnetCidrBlock", Kind::kChanges, "SubnetId:s! Ipv6CidrBlock:s!",
           "Is refused: it is for IPv6, which networks do not have.", associate_subnet_cidr_block},
    Action{"DisassociateSubnetCidrBlock", Kind::kChanges, "AssociationId:s!", "Finds no association: see there.",
           disassociate_subnet_cidr_block},
    Action{"DescribeDhcpOptions", Kind::kReads, "DhcpOptionsId.N:s " PILEUS_PAGES,
           "Tells what networks hand out by DHCP: the same everywhere.", describe_dhcp_options},
    Action{"DescribeNetworkAcls", Kind::kReads, "NetworkAclId.N:s " PILEUS_PAGES,
           "Tells of the access list of each network, which lets everything through.", describe_network_acls},
    Action{"DescribePrefixLists", Kind::kReads, "PrefixListId.N:s " PILEUS_PAGES,
           "Tells that there are no prefix lists.", describe_prefix_lists},
    Action{"DescribeVpcClassicLink", Kind::kReads, "VpcId.N:s " PILEUS_FILTERS,
           "Tells that networks have no link to EC2-Classic.", describe_vpc_classic_link},
    Action{"DescribeVpcClassicLinkDnsSupport", Kind::kReads, "VpcIds.N:s MaxResults:i NextToken:s",
           "The same of its DNS.", describe_vpc_classic_link_dns_support},
};

}  // namespace

constexpr ActionGroup kNetworkActions = {"Networks", kActions};

}  // namespace pileus::ec2
