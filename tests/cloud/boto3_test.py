"""boto3 does the whole round against a cloud whose hosts only pretend, and finds errors as it knows them."""

import base64
import concurrent.futures
import hashlib
import pathlib
import re
import subprocess
import tempfile
import unittest

from botocore import xform_name
from botocore.exceptions import ClientError

from case import CloudTest
from cloud import PATIENCE_S, REGION, Failure, wait_until

API = pathlib.Path(__file__).resolve().parents[2] / "docs" / "api.md"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS me@here"


class Round(CloudTest):
    def test_round(self):
        ec2 = self.ec2
        key = ec2.create_key_pair(KeyName="round", KeyType="ed25519")
        self.assertIn("PRIVATE KEY-----", key["KeyMaterial"])
        group = ec2.create_security_group(GroupName="round", Description="for ssh")["GroupId"]
        rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.1.2.3/8"}]}])
        self.assertEqual(rules["SecurityGroupRules"][0]["CidrIpv4"], "10.0.0.0/8")
        user_data = "#!/bin/sh\necho hello\n"
        reservation = ec2.run_instances(
            ImageId=self.image, MinCount=2, MaxCount=2, InstanceType="t3.small", KeyName="round",
            SecurityGroupIds=[group], UserData=user_data,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "one of two"}]}])
        ids = [each["InstanceId"] for each in reservation["Instances"]]
        self.assertEqual([each["State"]["Name"] for each in reservation["Instances"]], ["pending"] * 2)
        self.assertEqual([each["AmiLaunchIndex"] for each in reservation["Instances"]], [0, 1])
        self.wait("instance_running", *ids)
        self.wait("instance_status_ok", *ids)
        first = self.instance(ids[0])
        self.assertEqual(first["KeyName"], "round")
        self.assertEqual(first["SecurityGroups"], [{"GroupId": group, "GroupName": "round"}])
        self.assertEqual(first["Tags"], [{"Key": "Name", "Value": "one of two"}])
        self.assertTrue(first["PrivateIpAddress"].startswith("172.31."))
        self.assertEqual(first["NetworkInterfaces"][0]["Attachment"]["DeviceIndex"], 0)
        attribute = ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="userData")
        self.assertEqual(base64.b64decode(attribute["UserData"]["Value"]).decode(), user_data)

        ec2.create_tags(Resources=[ids[0]], Tags=[{"Key": "stage", "Value": "test & <more>"}])
        found = ec2.describe_instances(Filters=[{"Name": "tag:stage", "Values": ["test*"]}])["Reservations"]
        self.assertEqual([each["InstanceId"] for each in found[0]["Instances"]], [ids[0]])
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [ids[0]]}])["Tags"]
        self.assertEqual({tag["Key"]: tag["Value"] for tag in tags}, {"Name": "one of two", "stage": "test & <more>"})
        ec2.delete_tags(Resources=[ids[0]], Tags=[{"Key": "stage"}])
        self.assertEqual(len(self.instance(ids[0])["Tags"]), 1)

        stopping = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"]
        self.assertEqual(stopping[0]["PreviousState"]["Name"], "running")
        self.assertIn(stopping[0]["CurrentState"]["Name"], ("stopping", "stopped"))
        self.wait("instance_stopped", *ids)
        address = first["PrivateIpAddress"]
        ec2.start_instances(InstanceIds=ids)
        self.wait("instance_running", *ids)
        self.assertEqual(self.instance(ids[0])["PrivateIpAddress"], address, "an address is for life")
        ec2.reboot_instances(InstanceIds=ids)
        self.refused("DependencyViolation", 400, ec2.delete_security_group, GroupId=group)
        ended = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
        self.assertIn(ended[0]["CurrentState"]["Name"], ("shutting-down", "terminated"))
        self.wait("instance_terminated", *ids)
        gone = self.instance(ids[0])
        self.assertEqual(gone["State"], {"Code": 48, "Name": "terminated"})
        self.assertEqual(gone["Tags"], [{"Key": "Name", "Value": "one of two"}])
        ec2.delete_security_group(GroupId=group)
        ec2.delete_key_pair(KeyName="round")
        self.refused("InvalidKeyPair.NotFound", 400, ec2.describe_key_pairs, KeyNames=["round"])

    def test_places_and_network(self):
        ec2 = self.ec2
        self.assertEqual([each["RegionName"] for each in ec2.describe_regions()["Regions"]], ["us-east-1"])
        zone = ec2.describe_availability_zones()["AvailabilityZones"][0]
        self.assertEqual((zone["ZoneName"], zone["State"]), ("us-east-1a", "available"))
        vpc = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]
        subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]},
                                               {"Name": "state", "Values": ["available"]},
                                               {"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
        self.assertEqual(subnet["AvailabilityZone"], "us-east-1a")
        group = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]
        self.assertEqual(group["VpcId"], vpc["VpcId"])
        self.assertEqual(group["IpPermissionsEgress"][0]["IpRanges"], [{"CidrIp": "0.0.0.0/0"}])
        self.assertEqual(ec2.describe_addresses()["Addresses"], [])
        self.assertIn("max-instances", [each["AttributeName"] for each in
                                        ec2.describe_account_attributes()["AccountAttributes"]])
        identity = self.cloud.client("sts").get_caller_identity()
        self.assertEqual(identity["Account"], vpc["OwnerId"])

    def test_placement_network_interface_and_volume(self):
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        instance = self.ec2.run_instances(
            ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="t3.nano",
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}],
            BlockDeviceMappings=[{"DeviceName": self.root_device(), "Ebs": {"VolumeSize": 20}}])["Instances"][0]
        self.assertEqual(instance["SubnetId"], subnet)
        self.wait("instance_running", instance["InstanceId"])
        volumes = self.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id",
                                                      "Values": [instance["InstanceId"]]}])["Volumes"]
        self.assertEqual([(each["Size"], each["State"]) for each in volumes], [(20, "in-use")])
        console = self.ec2.get_console_output(InstanceId=instance["InstanceId"])
        self.assertEqual(console["InstanceId"], instance["InstanceId"])
        self.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])

    def root_device(self):
        return self.ec2.describe_images(ImageIds=[self.image])["Images"][0]["RootDeviceName"]

    def test_keys(self):
        imported = self.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=ED25519.encode())
        again = self.ec2.import_key_pair(KeyName="mine2", PublicKeyMaterial=ED25519.encode())
        self.assertEqual(imported["KeyFingerprint"], again["KeyFingerprint"])
        shown = self.ec2.describe_key_pairs(KeyNames=["mine"], IncludePublicKey=True)["KeyPairs"][0]
        self.assertTrue(shown["PublicKey"].startswith(" ".join(ED25519.split()[:2])))
        self.refused("InvalidKeyPair.Duplicate", 400, self.ec2.import_key_pair, KeyName="mine",
                     PublicKeyMaterial=ED25519.encode())
        self.refused("InvalidKey.Format", 400, self.ec2.import_key_pair, KeyName="bad", PublicKeyMaterial=b"no key")
        self.ec2.delete_key_pair(KeyName="mine")
        self.ec2.delete_key_pair(KeyName="mine")  # a missing one is no error


    def test_fingerprints_are_those_that_openssl_and_ssh_compute(self):
        def tool(*words, **more):
            return subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE_S, **more).stdout

        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for kind in ("rsa", "ed25519"):
            made = self.ec2.create_key_pair(KeyName=f"made-{kind}", KeyType=kind)
            file = folder / kind
            file.touch(0o600)
            file.write_text(made["KeyMaterial"])
            public = tool("ssh-keygen", "-y", "-f", file)
            shown = self.ec2.describe_key_pairs(KeyNames=[f"made-{kind}"], IncludePublicKey=True)["KeyPairs"][0]
            self.assertEqual(shown["PublicKey"].split()[:2], public.decode().split()[:2], "the halves belong together")
            (folder / "public").write_bytes(public)
            of_ssh = tool("ssh-keygen", "-l", "-f", folder / "public").split()[1].decode().removeprefix("SHA256:")
            imported = self.ec2.import_key_pair(KeyName=f"imported-{kind}", PublicKeyMaterial=public)
            if kind == "rsa":
                private = tool("openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", file)
                self.assertEqual(made["KeyFingerprint"].replace(":", ""), hashlib.sha1(private).hexdigest())
                der = tool("openssl", "rsa", "-pubout", "-outform", "DER", "-in", file)
                self.assertEqual(imported["KeyFingerprint"].replace(":", ""), hashlib.md5(der).hexdigest())
            else:
                self.assertEqual(made["KeyFingerprint"].rstrip("="), of_ssh)
                self.assertEqual(imported["KeyFingerprint"].rstrip("="), of_ssh)


class Manners(CloudTest):
    """Errors, filters, pages, tokens: what clients build on."""

    def test_errors(self):
        ec2 = self.ec2
        self.refused("InvalidInstanceID.NotFound", 400, ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"])
        self.refused("InvalidInstanceID.Malformed", 400, ec2.describe_instances, InstanceIds=["nonsense"])
        self.refused("InvalidAMIID.NotFound", 400, ec2.describe_images, ImageIds=["ami-0123456789abcdef0"])
        self.refused("InvalidGroup.NotFound", 400, ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"])
        message = self.refused("InvalidKeyPair.NotFound", 400, ec2.describe_key_pairs, KeyNames=["nobody's"])
        self.assertIn("'nobody's'", message)
        message = self.refused("InvalidParameterValue", 400, ec2.describe_instances,
                               Filters=[{"Name": "colour", "Values": ["red"]}])
        self.assertEqual(message, "The filter 'colour' is invalid")
        self.refused("DryRunOperation", 412, ec2.run_instances, ImageId=self.image, MinCount=1, MaxCount=1, DryRun=True)
        self.refused("InvalidParameterValue", 400, ec2.run_instances, ImageId=self.image, MinCount=1, MaxCount=1,
                     InstanceType="t99.huge")
        self.refused("UnsupportedOperation", 400, ec2.modify_address_attribute, AllocationId="eipalloc-0")
        self.refused("UnsupportedOperation", 400, ec2.create_transit_gateway)

    def test_all_other_actions_are_unsupported(self):
        client = self.cloud.client(parameter_validation=False)
        known = {name: xform_name(name) for name in client.meta.service_model.operation_names}
        offered = set(re.findall(r"^### (\w+)$", API.read_text(), re.MULTILINE))
        self.assertLess(100, len(offered & set(known)))
        for name in sorted(set(known) - offered):
            self.refused("UnsupportedOperation", 400, getattr(client, known[name]))

    def events(self, resource, *keys):
        """What happened, and why, of one of the account's resources."""
        answer = self.cloud.text_of("PileusDescribeEvents", *keys, ResourceId=resource)
        return re.findall(r"<what>(.*?)</what>\s*<why>(.*?)</why>", answer)

    def test_what_is_done_to_objects_is_told(self):
        ec2 = self.ec2
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.assertEqual(self.events(vpc), [("created", "10.9.0.0/16")])
        self.assertEqual(self.events(subnet), [("created", "10.9.1.0/24"), ("changed", "ModifySubnetAttribute")])
        group = ec2.create_security_group(GroupName="told", Description="d", VpcId=vpc)["GroupId"]
        port = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[port])
        ec2.update_security_group_rule_descriptions_ingress(
            GroupId=group, IpPermissions=[port | {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "for all"}]}])
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[port])
        rule = "in, peer: 0.0.0.0/0, tcp, from port: 22, to port: 22"
        self.assertEqual(self.events(group), [("created", "told"), ("rules changed", f"added: {rule}"),
                                              ("rules changed", "what they are described as"),
                                              ("rules changed", f"removed: {rule}")])
        key = ec2.import_key_pair(KeyName="told", PublicKeyMaterial=ED25519)
        self.assertEqual(self.events(key["KeyPairId"]), [("imported", key["KeyFingerprint"])])
        made = self.cloud.call("PileusCreateAccount", Name="stranger")
        theirs = made["accessKeyId"], made["secretAccessKey"]
        codes = {key["KeyPairId"]: "InvalidKeyPairID", group: "InvalidGroup", subnet: "InvalidSubnetID", vpc: "InvalidVpcID"}
        self.refused_events(codes, *theirs)
        ec2.delete_key_pair(KeyName="told")
        ec2.delete_security_group(GroupId=group)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)
        self.refused_events(codes)

    def refused_events(self, codes, *keys):
        for resource, code in codes.items():
            with self.assertRaisesRegex(Failure, f"<Code>{code}.NotFound</Code>"):
                self.events(resource, *keys)

    def test_filters_and_ids(self):
        one = self.run_one(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a*b", "Value": "x"}]}])
        two = self.run_one()
        self.wait("instance_running", one, two)

        def ids(filters, **more):
            found = self.ec2.describe_instances(
                Filters=[{"Name": name, "Values": values} for name, values in filters.items()], **more)
            return {each["InstanceId"] for group in found["Reservations"] for each in group["Instances"]}

        self.assertEqual(ids({"instance-id": [one, two]}), {one, two})
        self.assertEqual(ids({"instance-id": [one, two], "tag-key": ["a\\*b"]}), {one})
        self.assertEqual(ids({"tag-key": ["a\\*"]}), set())
        self.assertEqual(ids({"instance-state-name": ["running"]}, InstanceIds=[two]), {two})
        self.assertEqual(ids({"instance-state-name": ["stopped"]}, InstanceIds=[two]), set())
        self.ec2.terminate_instances(InstanceIds=[one, two])

    def test_pages(self):
        made = {self.run_one() for _ in range(12)}
        seen = []
        pages = self.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-id", "Values": sorted(made)}], PaginationConfig={"PageSize": 5})
        counts = []
        for page in pages:
            ids = [each["InstanceId"] for group in page["Reservations"] for each in group["Instances"]]
            counts.append(len(ids))
            seen += ids
        self.assertEqual(counts, [5, 5, 2])
        self.assertEqual(sorted(seen), sorted(made))
        self.refused("InvalidNextToken", 400, self.ec2.describe_instances, NextToken="nonsense")
        self.ec2.terminate_instances(InstanceIds=sorted(made))

    def test_client_token(self):
        first = self.run_one(ClientToken="token-1")
        self.assertEqual(self.run_one(ClientToken="token-1"), first)
        self.refused("IdempotentParameterMismatch", 400, self.run_one, ClientToken="token-1", UserData="other")
        self.assertEqual(self.instance(first)["ClientToken"], "token-1")
        self.refused("DryRunOperation", 412, self.run_one, ClientToken="token-2", DryRun=True)
        self.assertNotEqual(self.run_one(ClientToken="token-2", UserData="after"), first)

    def test_termination_protection(self):
        instance = self.run_one(DisableApiTermination=True)
        self.wait("instance_running", instance)
        self.refused("OperationNotPermitted", 400, self.ec2.terminate_instances, InstanceIds=[instance])
        self.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.wait("instance_terminated", instance)

    def test_attributes(self):
        instance = self.run_one(UserData="before")
        self.wait("instance_running", instance)
        group = self.ec2.create_security_group(GroupName="other", Description="another")["GroupId"]
        self.ec2.modify_instance_attribute(InstanceId=instance, Groups=[group])
        self.assertEqual([each["GroupId"] for each in self.instance(instance)["SecurityGroups"]], [group])
        self.refused("IncorrectInstanceState", 400, self.ec2.modify_instance_attribute, InstanceId=instance,
                     UserData={"Value": b"after"})
        self.ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        self.ec2.modify_instance_attribute(InstanceId=instance, UserData={"Value": b"after"})
        shown = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(shown), b"after")
        self.ec2.terminate_instances(InstanceIds=[instance])


class FullHost(CloudTest):
    HOSTS = 1

    def test_what_no_host_can_hold_says_so(self):
        # One host of 64 processors and 256 GiB: a second of 128 GiB fits only if nothing is kept back for the host.
        ids = [self.ec2.run_instances(ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="r5.4xlarge")
               ["Instances"][0]["InstanceId"] for _ in range(3)]
        shown = wait_until(lambda: [each for each in map(self.instance, ids) if each["State"]["Name"] == "terminated"],
                           "the third does not fit")
        self.assertEqual(shown[0]["StateReason"]["Code"], "Server.InsufficientInstanceCapacity")
        self.assertRegex(shown[0]["StateReason"]["Message"], "memory")


class Quota(CloudTest):
    def test_a_repeated_request_gets_its_answer_though_the_quota_is_used_up(self):
        account = self.cloud.call("PileusCreateAccount", Name="small")
        ec2 = self.cloud.client("ec2", account["accessKeyId"], account["secretAccessKey"])

        def run(token, **more):
            return ec2.run_instances(ImageId=self.image, MinCount=20, MaxCount=20, InstanceType="t2.nano",
                                     ClientToken=token, **more)

        made = [run(f"token-{i}")["ReservationId"] for i in range(5)]
        self.refused("InstanceLimitExceeded", 400, run, token="one-more")
        self.assertEqual(run("token-3")["ReservationId"], made[3])
        self.refused("IdempotentParameterMismatch", 400, run, token="token-3", UserData="other")


    def test_instances_count_by_their_volumes_too(self):
        account = self.cloud.call("PileusCreateAccount", Name="thin", MaxVolumeGiB=20)
        ec2 = self.cloud.client("ec2", account["accessKeyId"], account["secretAccessKey"])

        def run(least, most):
            disk = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}]
            return ec2.run_instances(ImageId=self.image, MinCount=least, MaxCount=most, InstanceType="t2.nano",
                                     BlockDeviceMappings=disk)["Instances"]

        self.refused("VolumeLimitExceeded", 400, run, least=3, most=3)
        self.assertEqual(len(run(1, 5)), 2)
        self.refused("VolumeLimitExceeded", 400, run, least=1, most=1)
        self.refused("VolumeLimitExceeded", 400, ec2.create_volume, AvailabilityZone="us-east-1a", Size=5)
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=4)

    def test_snapshots_are_limited(self):
        account = self.cloud.call("PileusCreateAccount", Name="photographer", MaxSnapshots=2)
        ec2 = self.cloud.client("ec2", account["accessKeyId"], account["secretAccessKey"])
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        first = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        ec2.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=first)
        for act, arguments in ((ec2.create_snapshot, {"VolumeId": volume}),
                               (ec2.copy_snapshot, {"SourceRegion": REGION, "SourceSnapshotId": first}),
                               (ec2.import_snapshot, {"DiskContainer": {"Format": "raw", "Url": "https://example.org/a"}})):
            self.refused("SnapshotLimitExceeded", 400, act, **arguments)
        ec2.delete_snapshot(SnapshotId=first)
        ec2.create_snapshot(VolumeId=volume)


class Crowd(CloudTest):
    def test_requests_at_once_stay_within_the_quota(self):
        account = self.cloud.call("PileusCreateAccount", Name="crowded", MaxInstances=20)
        keys = account["accessKeyId"], account["secretAccessKey"]

        def run(_):
            try:
                return len(self.cloud.client("ec2", *keys).run_instances(
                    ImageId=self.image, MinCount=1, MaxCount=3, InstanceType="t2.nano")["Instances"])
            except ClientError as error:
                return error.response["Error"]["Code"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(run, range(24)))
        self.assertEqual(sum(each for each in results if isinstance(each, int)), 20)
        self.assertEqual({each for each in results if not isinstance(each, int)}, {"InstanceLimitExceeded"})

    def at_once(self, act):
        """What came of 24 requests, eight at a time: an answer's id, or an error's code."""
        def one(number):
            try:
                return act(number)
            except ClientError as error:
                return error.response["Error"]["Code"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, range(24)))

    def test_volumes_made_at_once_stay_within_the_quota(self):
        account = self.cloud.call("PileusCreateAccount", Name="hoarder")
        keys = account["accessKeyId"], account["secretAccessKey"]
        results = self.at_once(lambda _: self.cloud.client("ec2", *keys).create_volume(
            AvailabilityZone="us-east-1a", Size=1000)["VolumeId"])
        self.assertEqual(len([each for each in results if each.startswith("vol-")]), 10, results)
        self.assertEqual({each for each in results if not each.startswith("vol-")}, {"VolumeLimitExceeded"})

    def test_volumes_and_instances_at_once_stay_within_the_quota(self):
        account = self.cloud.call("PileusCreateAccount", Name="mixed", MaxVolumeGiB=40)
        keys = account["accessKeyId"], account["secretAccessKey"]
        disk = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}]

        def make(number):
            ec2 = self.cloud.client("ec2", *keys)
            if number % 2 == 0:
                return ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)["VolumeId"]
            return ec2.run_instances(ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="t2.nano",
                                     BlockDeviceMappings=disk)["Instances"][0]["InstanceId"]

        results = self.at_once(make)
        made = [each for each in results if each.startswith(("vol-", "i-"))]
        self.assertEqual(len(made), 5, results)
        self.assertEqual(set(results) - set(made), {"VolumeLimitExceeded"})

    def test_images_made_at_once_have_names_of_their_own(self):
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

        # Each is a request of its own: equal ones of one second have one signature, and who is late with it is refused for that.
        def register(number):
            return self.cloud.client().register_image(
                Name="the only one", Description=f"number {number}", RootDeviceName="/dev/xvda",
                BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]

        results = self.at_once(register)
        made = [each for each in results if each.startswith("ami-")]
        self.assertEqual(len(made), 1, results)
        self.assertEqual(set(results) - set(made), {"InvalidAMIName.Duplicate"})
        self.ec2.deregister_image(ImageId=made[0])
        self.ec2.deregister_image(ImageId=register(0))


if __name__ == "__main__":
    unittest.main()
