#include "ec2/groups.h"
#include "ec2/routes/handlers.h"

namespace pileus::ec2 {
namespace {

#define PILEUS_ROUTE                                                                                         \
  "RouteTableId:s! DestinationCidrBlock:s DestinationIpv6CidrBlock:s DestinationPrefixListId:s GatewayId:s " \
  "InstanceId:s NetworkInterfaceId:s"

constexpr Action kActions[] = {
    Action{"CreateInternetGateway", Kind::kChanges, PILEUS_TAGS, "Makes an internet gateway.", create_internet_gateway},
    Action{"DeleteInternetGateway", Kind::kChanges, "InternetGatewayId:s!",
           "Deletes an internet gateway that is not attached.", delete_internet_gateway},
    Action{"AttachInternetGateway", Kind::kChanges, "InternetGatewayId:s! VpcId:s!",
           "Attaches an internet gateway to a network.", attach_internet_gateway},
    Action{"DetachInternetGateway", Kind::kChanges, "InternetGatewayId:s! VpcId:s!",
           "Detaches an internet gateway from its network.", detach_internet_gateway},
    Action{"DescribeInternetGateways", Kind::kReads, "InternetGatewayId.N:s " PILEUS_PAGES,
           "Tells of internet gateways.", describe_internet_gateways},
    Action{"CreateRouteTable", Kind::kChanges, "VpcId:s! " PILEUS_TAGS, "Makes a route table.", create_route_table},
    Action{"DeleteRouteTable", Kind::kChanges, "RouteTableId:s!", "Deletes a route table that no subnet follows.",
           delete_route_table},
    Action{"DescribeRouteTables", Kind::kReads, "RouteTableId.N:s " PILEUS_PAGES, "Tells of route tables.",
           describe_route_tables},
    Action{"AssociateRouteTable", Kind::kChanges, "RouteTableId:s! SubnetId:s GatewayId:s",
           "Has a subnet follow a route table.", associate_route_table},
    Action{"DisassociateRouteTable", Kind::kChanges, "AssociationId:s!",
           "Has a subnet follow the main route table again.", disassociate_route_table},
    Action{"ReplaceRouteTableAssociation", Kind::kChanges, "AssociationId:s! RouteTableId:s!",
           "Has a subnet follow another route table.", replace_route_table_association},
    Action{"CreateRoute", Kind::kChanges, PILEUS_ROUTE, "Adds a route to a route table.", create_route},
    Action{"ReplaceRoute", Kind::kChanges, PILEUS_ROUTE, "Has a route lead elsewhere.", replace_route},
    Action{"DeleteRoute", Kind::kChanges,
           "RouteTableId:s! DestinationCidrBlock:s DestinationIpv6CidrBlock:s DestinationPrefixListId:s",
           "Takes a route from a route table.", delete_route},
};
#undef PILEUS_ROUTE

}  // namespace

constexpr ActionGroup kRouteActions = {"Gateways and routes", kActions};

}  // namespace pileus::ec2
