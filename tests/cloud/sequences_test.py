"""The calls that tools make one after the other, as they were observed, with what these tools read of the answers."""

import base64
import hashlib
import unittest

from case import CloudTest


def only(found):
    if len(found) != 1:
        raise AssertionError(f"one was expected, not {found}")
    return found[0]


class Terraform(CloudTest):
    """aws_instance: created, refreshed, changed, destroyed."""

    def read(self, instance):
        ec2 = self.ec2
        reservation = only(ec2.describe_instances(InstanceIds=[instance])["Reservations"])
        shown = only(reservation["Instances"])
        kind = only(ec2.describe_instance_types(InstanceTypes=[shown["InstanceType"]])["InstanceTypes"])
        ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]},
                                   {"Name": "key", "Values": ["aws:ec2launchtemplate:id"]}])
        only(ec2.describe_vpcs(VpcIds=[shown["VpcId"]])["Vpcs"])["IsDefault"]
        state = {"id": shown["InstanceId"], "state": shown["State"]["Name"], "type": shown["InstanceType"],
                 "device_index": shown["NetworkInterfaces"][0]["Attachment"]["DeviceIndex"],
                 "source_dest_check": shown["SourceDestCheck"], "monitoring": shown["Monitoring"]["State"],
                 "metadata": shown["MetadataOptions"], "maintenance": shown["MaintenanceOptions"],
                 "names": shown["PrivateDnsNameOptions"], "enclave": shown["EnclaveOptions"]["Enabled"],
                 "hibernation": shown["HibernationOptions"]["Configured"], "cores": shown["CpuOptions"]["CoreCount"],
                 "tenancy": shown["Placement"]["Tenancy"]}
        ec2.describe_instance_attribute(InstanceId=instance, Attribute="instanceInitiatedShutdownBehavior")
        root = only([each for each in shown["BlockDeviceMappings"] if each["DeviceName"] == shown["RootDeviceName"]])
        only(ec2.describe_volumes(VolumeIds=[root["Ebs"]["VolumeId"]])["Volumes"])["Size"]
        for attribute, field in (("disableApiStop", "DisableApiStop"), ("disableApiTermination", "DisableApiTermination")):
            state[attribute] = ec2.describe_instance_attribute(InstanceId=instance, Attribute=attribute)[field]["Value"]
        data = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"].get("Value", "")
        state["user_data"] = hashlib.sha1(base64.b64decode(data)).hexdigest()
        if kind["BurstablePerformanceSupported"]:
            only(ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"])
        return state

    def test_instance(self):
        ec2 = self.ec2
        instance = only(ec2.run_instances(
            ImageId=self.image, InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken="terraform-2026",
            CreditSpecification={"CpuCredits": "unlimited"}, DisableApiTermination=False, EbsOptimized=False,
            HibernationOptions={"Configured": False}, Monitoring={"Enabled": False}, EnclaveOptions={"Enabled": False},
            MetadataOptions={"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            Placement={"AvailabilityZone": ""}, UserData="#!/bin/sh\n",
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "tf"}]}],
        )["Instances"])["InstanceId"]
        self.wait("instance_running", instance)
        state = self.read(instance)
        self.assertEqual((state["state"], state["device_index"], state["disableApiStop"]), ("running", 0, False))
        self.assertEqual(state["user_data"], hashlib.sha1(b"#!/bin/sh\n").hexdigest())
        self.assertEqual(self.read(instance), state, "a refresh finds no difference")

        ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
        ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
        ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="optional", HttpEndpoint="enabled",
                                             HttpPutResponseHopLimit=3, InstanceMetadataTags="disabled")
        ec2.monitor_instances(InstanceIds=[instance])
        ec2.modify_instance_credit_specification(
            InstanceCreditSpecifications=[{"InstanceId": instance, "CpuCredits": "standard"}])
        ec2.modify_instance_maintenance_options(InstanceId=instance, AutoRecovery="disabled")
        ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "t3.small"})
        ec2.start_instances(InstanceIds=[instance])
        self.wait("instance_running", instance)
        changed = self.read(instance)
        self.assertEqual((changed["type"], changed["source_dest_check"], changed["monitoring"]),
                         ("t3.small", False, "enabled"))
        self.assertEqual(changed["metadata"]["HttpPutResponseHopLimit"], 3)

        ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
        ec2.terminate_instances(InstanceIds=[instance])
        self.wait("instance_terminated", instance)


class Ansible(CloudTest):
    """Modules of amazon.aws 5.5.1."""

    def test_ec2_vpc_net_and_subnet(self):
        ec2 = self.ec2
        wanted = [{"Name": "tag:Name", "Values": ["net"]}, {"Name": "cidr-block", "Values": ["10.20.0.0/16"]}]
        self.assertEqual(ec2.describe_vpcs(Filters=wanted)["Vpcs"], [])
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", InstanceTenancy="default")["Vpc"]["VpcId"]
        ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc])
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "net"}])
        self.assertEqual(only(ec2.describe_vpcs(Filters=wanted)["Vpcs"])["VpcId"], vpc)
        self.assertFalse(only(ec2.describe_vpc_classic_link(VpcIds=[vpc])["Vpcs"])["ClassicLinkEnabled"])
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
            ec2.modify_vpc_attribute(VpcId=vpc, **{attribute[0].upper() + attribute[1:]: {"Value": True}})
        ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])

        place = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "cidr-block", "Values": ["10.20.1.0/24"]}]
        self.assertEqual(ec2.describe_subnets(Filters=place)["Subnets"], [])
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
        ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet])
        ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [subnet]}])
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "Name", "Value": "sub"}])
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.assertTrue(only(ec2.describe_subnets(Filters=place)["Subnets"])["MapPublicIpOnLaunch"])

        self.assertEqual(ec2.describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"], [])
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[gateway])
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        only(ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"])

    def test_ec2_eip(self):
        ec2 = self.ec2
        instance = self.run_one()
        self.wait("instance_running", instance)
        self.assertEqual(ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [instance]}])["Addresses"], [])
        made = ec2.allocate_address(Domain="vpc")
        only(only(ec2.describe_instances(InstanceIds=[instance])["Reservations"])["Instances"])["VpcId"]
        only(ec2.describe_addresses(PublicIps=[made["PublicIp"]])["Addresses"])
        ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=instance)
        shown = only(ec2.describe_addresses(PublicIps=[made["PublicIp"]])["Addresses"])
        self.assertEqual(shown["InstanceId"], instance)
        ec2.disassociate_address(AssociationId=shown["AssociationId"])
        ec2.release_address(AllocationId=made["AllocationId"])

    def test_ec2_instance(self):
        ec2 = self.ec2
        vpc = only(ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"])["VpcId"]
        subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                               {"Name": "state", "Values": ["available"]},
                                               {"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]["SubnetId"]
        states = ["running", "pending", "stopping", "stopped"]
        same = [{"Name": "instance-state-name", "Values": states}, {"Name": "subnet-id", "Values": [subnet]},
                {"Name": "tag:Name", "Values": ["by-ansible"]}, {"Name": "image-id", "Values": [self.image]}]
        self.assertEqual(ec2.describe_instances(Filters=same)["Reservations"], [])
        only(ec2.describe_subnets(SubnetIds=[subnet])["Subnets"])
        group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                                      {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
        group = only(group)["GroupId"]
        tags = [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": "by-ansible"}]} for kind in ("instance", "volume")]
        instance = only(ec2.run_instances(
            ImageId=self.image, InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken="ansible-1",
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group],
                                "AssociatePublicIpAddress": True}],
            TagSpecifications=tags)["Instances"])["InstanceId"]
        ec2.get_waiter("instance_exists").wait(InstanceIds=[instance])
        ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)
        self.assertEqual(only(ec2.describe_instance_attribute(InstanceId=instance, Attribute="groupSet")["Groups"])["GroupId"],
                         group)
        ec2.modify_instance_attribute(InstanceId=instance, Groups=[group])
        self.wait("instance_running", instance)
        again = only(only(ec2.describe_instances(Filters=same)["Reservations"])["Instances"])
        self.assertEqual(again["InstanceId"], instance)
        for name in ("groupSet", "ebsOptimized", "disableApiTermination"):
            ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
        ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        ec2.start_instances(InstanceIds=[instance])
        self.wait("instance_status_ok", instance)
        ec2.terminate_instances(InstanceIds=[instance])
        self.wait("instance_terminated", instance)
        self.assertEqual(only(only(ec2.describe_instances(InstanceIds=[instance])["Reservations"])["Instances"])
                         ["State"]["Name"], "terminated")


if __name__ == "__main__":
    unittest.main()
