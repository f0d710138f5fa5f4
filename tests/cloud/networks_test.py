"""Networks, gateways, routes, interfaces and elastic addresses by boto3."""

import unittest

from case import CloudTest
from cloud import wait_until


def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


class NetworkTest(CloudTest):
    def make_vpc(self, cidr="10.0.0.0/16"):
        return self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]

    def make_subnet(self, vpc, cidr="10.0.1.0/24", **more):
        return self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]["SubnetId"]

    def stranger(self):
        account = self.cloud.call("PileusCreateAccount", Name=f"stranger-{self.id()}")
        return self.cloud.client("ec2", account["accessKeyId"], account["secretAccessKey"])


class Vpcs(NetworkTest):
    def test_life(self):
        ec2 = self.ec2
        made = ec2.create_vpc(CidrBlock="10.1.2.3/16", TagSpecifications=named("vpc", "mine"))["Vpc"]
        vpc = made["VpcId"]
        self.assertEqual((made["CidrBlock"], made["IsDefault"], made["State"]), ("10.1.0.0/16", False, "available"))
        self.ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
        found = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["mine"]},
                                           {"Name": "cidr-block", "Values": ["10.1.0.0/16"]}])["Vpcs"]
        self.assertEqual([each["VpcId"] for each in found], [vpc])
        self.assertFalse(ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
                         ["EnableDnsHostnames"]["Value"])
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        self.assertTrue(ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
                        ["EnableDnsHostnames"]["Value"])
        self.refused("DryRunOperation", 412, ec2.delete_vpc, VpcId=vpc, DryRun=True)
        self.refused("InvalidVpcID.NotFound", 400, self.stranger().delete_vpc, VpcId=vpc)
        subnet = self.make_subnet(vpc, "10.1.1.0/24")
        self.assertIn(subnet, self.refused("DependencyViolation", 400, ec2.delete_vpc, VpcId=vpc))
        ec2.delete_subnet(SubnetId=subnet)
        group = ec2.create_security_group(GroupName="web", Description="for the web", VpcId=vpc)["GroupId"]
        self.refused("DependencyViolation", 400, ec2.delete_vpc, VpcId=vpc)
        ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=vpc)
        self.refused("InvalidVpcID.NotFound", 400, ec2.describe_vpcs, VpcIds=[vpc])
        left = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
        self.assertEqual(left, [])

    def test_refusals(self):
        ec2 = self.ec2
        self.refused("InvalidVpc.Range", 400, ec2.create_vpc, CidrBlock="10.0.0.0/8")
        self.refused("InvalidParameterValue", 400, ec2.create_vpc, CidrBlock="nonsense")
        self.refused("InvalidVpcID.Malformed", 400, ec2.describe_vpcs, VpcIds=["vpc-x"])
        vpc = self.make_vpc()
        self.refused("InvalidSubnet.Range", 400, ec2.create_subnet, VpcId=vpc, CidrBlock="10.9.0.0/24")
        subnet = self.make_subnet(vpc)
        self.refused("InvalidSubnet.Conflict", 400, ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.128/25")
        self.refused("InvalidParameterValue", 400, ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.2.0/24",
                     AvailabilityZone="mars-1a")
        self.refused("UnsupportedOperation", 400, ec2.associate_subnet_cidr_block, SubnetId=subnet,
                     Ipv6CidrBlock="2001:db8::/64")

    def test_blocks(self):
        ec2 = self.ec2
        vpc = self.make_vpc("10.2.0.0/16")
        made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.3.0.0/24")["CidrBlockAssociation"]
        self.refused("InvalidVpc.Conflict", 400, ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.3.0.0/28")
        subnet = self.make_subnet(vpc, "10.3.0.0/28")
        self.refused("InvalidCidrBlock.InUse", 400, ec2.disassociate_vpc_cidr_block,
                     AssociationId=made["AssociationId"])
        ec2.delete_subnet(SubnetId=subnet)
        blocks = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]
        self.assertEqual([each["CidrBlock"] for each in blocks], ["10.2.0.0/16", "10.3.0.0/24"])
        self.refused("OperationNotPermitted", 400, ec2.disassociate_vpc_cidr_block,
                     AssociationId=blocks[0]["AssociationId"])
        ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])

    def test_default_network_deleted_and_made_anew(self):
        ec2 = self.stranger()
        vpc = ec2.describe_vpcs()["Vpcs"][0]
        self.assertTrue(vpc["IsDefault"])
        self.refused("DefaultVpcAlreadyExists", 400, ec2.create_default_vpc)
        subnet = ec2.describe_subnets()["Subnets"][0]
        zone = subnet["AvailabilityZone"]
        self.refused("DefaultSubnetAlreadyExistsInAvailabilityZone", 400, ec2.create_default_subnet,
                     AvailabilityZone=zone)
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        self.refused("MissingInput", 400, ec2.run_instances, ImageId=self.image, MinCount=1, MaxCount=1)
        again = ec2.create_default_subnet(AvailabilityZone=zone)["Subnet"]
        self.assertEqual((again["CidrBlock"], again["DefaultForAz"]), (subnet["CidrBlock"], True))
        ec2.delete_subnet(SubnetId=again["SubnetId"])
        gateway = ec2.describe_internet_gateways()["InternetGateways"][0]
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
        self.assertEqual(ec2.describe_vpcs()["Vpcs"], [])
        self.refused("VPCIdNotSpecified", 400, ec2.create_security_group, GroupName="a", Description="a")
        self.assertTrue(ec2.create_default_vpc()["Vpc"]["IsDefault"])
        self.assertEqual(len(ec2.describe_subnets()["Subnets"]), 1)

    def test_what_every_network_has(self):
        ec2 = self.ec2
        vpc = self.make_vpc("10.4.0.0/16")
        options = ec2.describe_dhcp_options()["DhcpOptions"][0]
        self.assertEqual(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"], options["DhcpOptionsId"])
        acl = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]
        self.assertTrue(acl["IsDefault"])
        self.assertEqual(len(acl["Entries"]), 4)
        self.assertEqual(ec2.describe_prefix_lists()["PrefixLists"], [])
        self.assertFalse(ec2.describe_vpc_classic_link(VpcIds=[vpc])["Vpcs"][0]["ClassicLinkEnabled"])
        self.assertFalse(ec2.describe_vpc_classic_link_dns_support(VpcIds=[vpc])["Vpcs"][0]["ClassicLinkDnsSupported"])

    def test_groups_belong_to_networks(self):
        ec2 = self.ec2
        vpc = self.make_vpc("10.5.0.0/16")
        subnet = self.make_subnet(vpc, "10.5.1.0/24")
        here = ec2.create_security_group(GroupName="same", Description="here", VpcId=vpc)["GroupId"]
        there = ec2.create_security_group(GroupName="same", Description="there")["GroupId"]
        self.refused("InvalidGroup.Duplicate", 400, ec2.create_security_group, GroupName="same", Description="again",
                     VpcId=vpc)
        self.refused("InvalidParameter", 400, self.run_one, SubnetId=subnet, SecurityGroupIds=[there])
        instance = self.run_one(SubnetId=subnet)
        shown = self.instance(instance)
        self.assertEqual(shown["VpcId"], vpc)
        self.assertTrue(shown["PrivateIpAddress"].startswith("10.5.1."))
        self.assertEqual([each["GroupName"] for each in shown["SecurityGroups"]], ["default"])
        self.assertNotIn("PublicIpAddress", shown)
        self.assertIn(instance and "eni-", self.refused("DependencyViolation", 400, ec2.delete_subnet, SubnetId=subnet))
        self.wait("instance_running", instance)
        ec2.modify_instance_attribute(InstanceId=instance, Groups=[here])
        interface = self.instance(instance)["NetworkInterfaces"][0]
        self.assertEqual([each["GroupId"] for each in interface["Groups"]], [here])
        ec2.terminate_instances(InstanceIds=[instance])
        self.wait("instance_terminated", instance)

        def gone():
            return not ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])[
                "NetworkInterfaces"]
        wait_until(gone, "the interface is given back")
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_security_group(GroupId=here)
        ec2.delete_vpc(VpcId=vpc)


class Routes(NetworkTest):
    def test_gateway_and_routes(self):
        ec2 = self.ec2
        vpc = self.make_vpc()
        subnet = self.make_subnet(vpc)
        gateway = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "way out"))[
            "InternetGateway"]["InternetGatewayId"]
        self.refused("Gateway.NotAttached", 400, ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.refused("Resource.AlreadyAssociated", 400, ec2.attach_internet_gateway, InternetGatewayId=gateway,
                     VpcId=vpc)
        self.refused("DependencyViolation", 400, ec2.delete_internet_gateway, InternetGatewayId=gateway)
        found = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
        self.assertEqual(found["InternetGateways"][0]["Attachments"], [{"State": "available", "VpcId": vpc}])

        main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                                  {"Name": "association.main", "Values": ["true"]}])["RouteTables"][0]
        self.assertEqual(main["Routes"], [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local",
                                           "Origin": "CreateRouteTable", "State": "active"}])
        table = ec2.create_route_table(VpcId=vpc, TagSpecifications=named("route-table", "out"))["RouteTable"][
            "RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.refused("InvalidParameterValue", 400, ec2.create_route, RouteTableId=table,
                     DestinationCidrBlock="10.0.0.0/16", GatewayId=gateway)
        self.refused("InvalidRoute.NotFound", 400, ec2.delete_route, RouteTableId=table,
                     DestinationCidrBlock="8.8.8.0/24")
        association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
        self.refused("DependencyViolation", 400, ec2.delete_route_table, RouteTableId=table)
        found = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
        self.assertEqual([each["RouteTableId"] for each in found["RouteTables"]], [table])
        moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=main["RouteTableId"])
        ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
        ec2.create_tags(Resources=[main["RouteTableId"]], Tags=[{"Key": "Name", "Value": "main"}])
        self.refused("DependencyViolation", 400, ec2.delete_route_table, RouteTableId=main["RouteTableId"])
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        states = {each["DestinationCidrBlock"]: each["State"] for each in
                  ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]}
        self.assertEqual(states, {"10.0.0.0/16": "active", "0.0.0.0/0": "blackhole"})
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
        ec2.delete_internet_gateway(InternetGatewayId=gateway)
        ec2.delete_route_table(RouteTableId=table)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)


class Addresses(NetworkTest):
    def test_an_address_moves(self):
        ec2 = self.ec2
        made = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "door"))
        allocation, address = made["AllocationId"], made["PublicIp"]
        self.assertTrue(address.startswith("127.78."))
        one, two = self.run_one(), self.run_one()
        self.wait("instance_running", one, two)
        first = ec2.associate_address(AllocationId=allocation, InstanceId=one)["AssociationId"]
        self.assertEqual(ec2.associate_address(AllocationId=allocation, InstanceId=one)["AssociationId"], first)
        self.assertEqual(self.instance(one)["PublicIpAddress"], address)
        shown = ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [one]}])["Addresses"][0]
        self.assertEqual((shown["PublicIp"], shown["AssociationId"], shown["Tags"]),
                         (address, first, [{"Key": "Name", "Value": "door"}]))
        self.refused("InvalidIPAddress.InUse", 400, ec2.release_address, AllocationId=allocation)
        self.refused("Resource.AlreadyAssociated", 400, ec2.associate_address, AllocationId=allocation,
                     InstanceId=two, AllowReassociation=False)
        second = ec2.associate_address(AllocationId=allocation, InstanceId=two)["AssociationId"]
        self.assertNotIn("PublicIpAddress", self.instance(one))
        association = self.instance(two)["NetworkInterfaces"][0]["Association"]
        self.assertEqual(association["PublicIp"], address)
        self.refused("InvalidAssociationID.NotFound", 400, ec2.disassociate_address, AssociationId=first)
        stranger = self.stranger()
        self.refused("InvalidAllocationID.NotFound", 400, stranger.describe_addresses, AllocationIds=[allocation])
        self.refused("InvalidAddress.NotFound", 400, stranger.describe_addresses, PublicIps=[address])
        ec2.disassociate_address(AssociationId=second)
        ec2.associate_address(PublicIp=address, InstanceId=two)
        ec2.terminate_instances(InstanceIds=[one, two])
        self.wait("instance_terminated", one, two)
        wait_until(lambda: "AssociationId" not in ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0],
                   "the address leads nowhere")
        self.assertEqual(ec2.describe_addresses_attribute(AllocationIds=[allocation], Attribute="domain-name")
                         ["Addresses"][0]["PublicIp"], address)
        ec2.release_address(AllocationId=allocation)
        self.refused("InvalidAddress.NotFound", 400, ec2.describe_addresses, PublicIps=[address])


class Interfaces(NetworkTest):
    def test_life_and_launch(self):
        ec2 = self.ec2
        vpc = self.make_vpc()
        subnet = self.make_subnet(vpc, "10.0.7.0/28")
        made = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.7.9", Description="a card",
                                            ClientToken="once")["NetworkInterface"]
        interface = made["NetworkInterfaceId"]
        again = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.7.9", Description="a card",
                                             ClientToken="once")["NetworkInterface"]
        self.assertEqual(again["NetworkInterfaceId"], interface)
        self.refused("IdempotentParameterMismatch", 400, ec2.create_network_interface, SubnetId=subnet,
                     ClientToken="once")
        self.assertEqual((made["Status"], made["VpcId"]), ("available", vpc))
        self.refused("InvalidIPAddress.InUse", 400, ec2.create_network_interface, SubnetId=subnet,
                     PrivateIpAddress="10.0.7.9")
        self.refused("InvalidParameterValue", 400, ec2.create_network_interface, SubnetId=subnet,
                     PrivateIpAddress="10.0.7.1")
        ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.7.10"])
        ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=2)
        shown = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
        self.assertEqual(len(shown["PrivateIpAddresses"]), 4)
        ec2.unassign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.7.10"])
        self.refused("InvalidParameterValue", 400, ec2.unassign_private_ip_addresses, NetworkInterfaceId=interface,
                     PrivateIpAddresses=["10.0.7.10"])
        free = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
        self.assertEqual(free, 11 - 3)
        self.refused("InsufficientFreeAddressesInSubnet", 400, ec2.assign_private_ip_addresses,
                     NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=9)
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
        self.assertFalse(ec2.describe_network_interface_attribute(
            NetworkInterfaceId=interface, Attribute="sourceDestCheck")["SourceDestCheck"]["Value"])

        instance = self.ec2.run_instances(
            ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="t3.nano",
            NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])["Instances"][0]
        self.assertEqual((instance["PrivateIpAddress"], instance["VpcId"]), ("10.0.7.9", vpc))
        self.wait("instance_running", instance["InstanceId"])
        self.refused("InvalidParameterValue", 400, ec2.delete_network_interface, NetworkInterfaceId=interface)
        self.refused("InvalidNetworkInterface.InUse", 400, self.ec2.run_instances, ImageId=self.image, MinCount=1,
                     MaxCount=1, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])
        attachment = self.instance(instance["InstanceId"])["NetworkInterfaces"][0]["Attachment"]["AttachmentId"]
        self.refused("OperationNotPermitted", 400, ec2.detach_network_interface, AttachmentId=attachment)
        other = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        self.refused("UnsupportedOperation", 400, ec2.attach_network_interface, NetworkInterfaceId=other,
                     InstanceId=instance["InstanceId"], DeviceIndex=1)
        ec2.delete_network_interface(NetworkInterfaceId=other)
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        wait_until(lambda: ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0][
            "Status"] == "available", "the interface outlives its instance")
        self.assertIn(interface, self.refused("DependencyViolation", 400, ec2.delete_subnet, SubnetId=subnet))
        ec2.delete_network_interface(NetworkInterfaceId=interface)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)


if __name__ == "__main__":
    unittest.main()
