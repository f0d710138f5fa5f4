"""Volumes, snapshots and images by boto3, awscli and libcloud, against a cloud whose hosts only pretend."""

import unittest

from awscli_test import Awscli as AwscliBase
from case import FAST, CloudTest
from cloud import PATIENCE_S, Cloud, Failure, wait_until
from libcloud_test import Libcloud as LibcloudBase

ZONE = "us-east-1a"
DEVICE = "/dev/sdf"


class VolumeTest(CloudTest):
    HOSTS = 2

    def await_all(self, name, **arguments):
        self.ec2.get_waiter(name).wait(WaiterConfig=FAST, **arguments)

    def running(self, **more):
        instance = self.run_one(**more)
        self.wait("instance_running", instance)
        return instance

    def volume(self, volume):
        return self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]

    def blank(self, size=2, **more):
        return self.ec2.create_volume(AvailabilityZone=ZONE, Size=size, **more)["VolumeId"]

    def other(self, name):
        """A client of another account, and that account's number."""
        made = self.cloud.call("PileusCreateAccount", Name=name)
        keys = made["accessKeyId"], made["secretAccessKey"]
        return self.cloud.client("ec2", *keys), self.cloud.client("sts", *keys).get_caller_identity()["Account"]

    def root_of(self, instance):
        return self.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


class Volumes(VolumeTest):
    def test_round(self):
        ec2 = self.ec2
        made = ec2.create_volume(AvailabilityZone=ZONE, Size=3, VolumeType="gp3", Iops=3000, TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "data"}]}])
        volume = made["VolumeId"]
        self.assertEqual((made["Size"], made["Tags"]), (3, [{"Key": "Name", "Value": "data"}]))
        self.await_all("volume_available", VolumeIds=[volume])
        instance = self.running()
        attached = ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
        self.assertEqual((attached["State"], attached["InstanceId"]), ("attaching", instance))
        self.await_all("volume_in_use", VolumeIds=[volume])
        wait_until(lambda: self.volume(volume)["Attachments"][0]["State"] == "attached", "it is attached")
        mapping = {each["DeviceName"]: each["Ebs"] for each in self.instance(instance)["BlockDeviceMappings"]}
        self.assertEqual(mapping[DEVICE]["VolumeId"], volume)
        self.assertFalse(mapping[DEVICE]["DeleteOnTermination"])
        self.refused("VolumeInUse", 400, ec2.delete_volume, VolumeId=volume)
        self.refused("VolumeInUse", 400, ec2.attach_volume, VolumeId=volume, InstanceId=instance, Device="/dev/sdg")
        self.refused("InvalidParameterValue", 400, ec2.attach_volume, VolumeId=self.blank(), InstanceId=instance,
                     Device=DEVICE)
        self.refused("InvalidAttachment.NotFound", 400, ec2.detach_volume, VolumeId=volume, Device="/dev/sdz")
        self.refused("OperationNotPermitted", 400, ec2.detach_volume, VolumeId=self.root_of(instance))
        self.assertEqual(ec2.detach_volume(VolumeId=volume)["State"], "detaching")
        self.await_all("volume_available", VolumeIds=[volume])
        self.assertEqual(len(self.instance(instance)["BlockDeviceMappings"]), 1)
        self.refused("IncorrectState", 400, ec2.detach_volume, VolumeId=volume)
        tags = ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["volume"]}])["Tags"]
        self.assertIn(volume, [each["ResourceId"] for each in tags])
        ec2.delete_volume(VolumeId=volume)
        self.await_all("volume_deleted", VolumeIds=[volume])
        self.refused("InvalidVolume.NotFound", 400, ec2.describe_volumes, VolumeIds=[volume])
        ec2.terminate_instances(InstanceIds=[instance])

    def test_a_volume_follows_to_another_instance(self):
        first, second = self.running(), self.running()
        volume = self.blank()
        for instance in (first, second, first):
            self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
            wait_until(lambda: self.volume(volume)["Attachments"][0]["State"] == "attached", "it is attached")
            self.assertEqual(self.volume(volume)["Attachments"][0]["InstanceId"], instance)
            self.ec2.detach_volume(VolumeId=volume, InstanceId=instance)
            self.await_all("volume_available", VolumeIds=[volume])

    def test_what_goes_with_an_instance(self):
        instance = self.running(BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": False}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 2, "DeleteOnTermination": True}}], TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "launch"}]}])
        disks = self.instance(instance)["BlockDeviceMappings"]
        self.assertEqual([each["DeviceName"] for each in disks][1:], ["/dev/sdf", "/dev/sdg"])
        self.assertTrue(disks[0]["Ebs"]["DeleteOnTermination"])
        root, kept, gone = [each["Ebs"]["VolumeId"] for each in disks]
        self.assertEqual(self.volume(root)["Tags"], [{"Key": "of", "Value": "launch"}])
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.wait("instance_terminated", instance)
        self.await_all("volume_deleted", VolumeIds=[root, gone])
        self.await_all("volume_available", VolumeIds=[kept])
        other = self.running()
        self.ec2.attach_volume(VolumeId=kept, InstanceId=other, Device=DEVICE)
        self.await_all("volume_in_use", VolumeIds=[kept])

    def test_modify(self):
        volume = self.blank(size=1)
        instance = self.running()
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
        for each, size in ((volume, 5), (self.root_of(instance), 30)):
            change = self.ec2.modify_volume(VolumeId=each, Size=size)["VolumeModification"]
            self.assertEqual(change["TargetSize"], size)
            self.assertIn(change["ModificationState"], ("modifying", "completed"))
            wait_until(lambda: self.ec2.describe_volumes_modifications(VolumeIds=[each])["VolumesModifications"][0]
                       ["ModificationState"] == "completed", "it has grown")
            self.assertEqual(self.volume(each)["Size"], size)
        self.refused("InvalidParameterValue", 400, self.ec2.modify_volume, VolumeId=volume, Size=1)
        status = self.ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"][0]
        self.assertEqual(status["VolumeStatus"]["Status"], "ok")

    def test_filters_pages_and_tokens(self):
        volumes = {self.blank(size=7) for _ in range(6)}
        of_seven = [{"Name": "size", "Values": ["7"]}, {"Name": "status", "Values": ["avail*"]}]
        pages = list(self.ec2.get_paginator("describe_volumes").paginate(Filters=of_seven,
                                                                         PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["Volumes"]) for page in pages], [5, 1])
        self.assertEqual({each["VolumeId"] for page in pages for each in page["Volumes"]}, volumes)
        self.refused("InvalidParameterValue", 400, self.ec2.describe_volumes,
                     Filters=[{"Name": "colour", "Values": ["red"]}])
        same = [self.blank(size=9, ClientToken="one") for _ in range(2)]
        self.assertEqual(same[0], same[1])
        self.refused("IdempotentParameterMismatch", 400, self.ec2.create_volume, AvailabilityZone=ZONE, Size=8,
                     ClientToken="one")
        self.refused("DryRunOperation", 412, self.ec2.create_volume, AvailabilityZone=ZONE, Size=8, DryRun=True)

    def test_refusals(self):
        make = self.ec2.create_volume
        self.refused("InvalidZone.NotFound", 400, make, AvailabilityZone="mars-1a", Size=1)
        self.refused("MissingParameter", 400, make, AvailabilityZone=ZONE)
        self.refused("InvalidParameterValue", 400, make, AvailabilityZone=ZONE, Size=20000)
        self.refused("InvalidParameterValue", 400, make, AvailabilityZone=ZONE, Size=1, VolumeType="fast")
        self.refused("InvalidParameterCombination", 400, make, AvailabilityZone=ZONE, Size=1, VolumeType="gp2",
                     Iops=500)
        self.refused("UnsupportedOperation", 400, make, AvailabilityZone=ZONE, Size=1, Encrypted=True)
        self.refused("InvalidSnapshot.NotFound", 400, make, AvailabilityZone=ZONE, SnapshotId="snap-0123456789abcdef0")
        self.refused("VolumeLimitExceeded", 400, make, AvailabilityZone=ZONE, Size=16000)
        self.refused("InvalidVolume.NotFound", 400, self.ec2.delete_volume, VolumeId="vol-0123456789abcdef0")
        self.refused("InvalidVolumeID.Malformed", 400, self.ec2.delete_volume, VolumeId="vol-x")
        self.refused("InvalidBlockDeviceMapping", 400, self.run_one, BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {}}])
        self.assertFalse(self.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])


class Snapshots(VolumeTest):
    def test_round(self):
        ec2 = self.ec2
        volume, instance = self.blank(size=4), self.running()
        ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
        self.await_all("volume_in_use", VolumeIds=[volume])
        snapshot = ec2.create_snapshot(VolumeId=volume, Description="before", TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "Name", "Value": "s"}]}])["SnapshotId"]
        self.await_all("snapshot_completed", SnapshotIds=[snapshot])
        shown = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
        self.assertEqual((shown["VolumeSize"], shown["Progress"], shown["Description"]), (4, "100%", "before"))
        again = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
        self.assertEqual((again["Size"], again["SnapshotId"]), (4, snapshot))
        self.refused("InvalidParameterValue", 400, ec2.create_volume, AvailabilityZone=ZONE, SnapshotId=snapshot,
                     Size=3)
        copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
        ec2.delete_snapshot(SnapshotId=snapshot)
        self.refused("InvalidSnapshot.NotFound", 400, ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.await_all("snapshot_completed", SnapshotIds=[copy])
        whole = ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
        self.assertEqual({each["VolumeId"] for each in whole}, {volume, self.root_of(instance)})
        self.await_all("snapshot_completed", SnapshotIds=[each["SnapshotId"] for each in whole])

    def test_what_happened_to_it_and_its_volume(self):
        volume, instance = self.blank(), self.running()
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
        self.await_all("volume_in_use", VolumeIds=[volume])
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.await_all("snapshot_completed", SnapshotIds=[snapshot])
        events = self.cloud.text_of("PileusDescribeEvents", ResourceId=snapshot)
        self.assertIn("<what>completed</what>", events)
        self.assertIn("<eventSet", self.cloud.text_of("PileusDescribeEvents", ResourceId=volume))
        made = self.cloud.call("PileusCreateAccount", Name="curious")
        keys = made["accessKeyId"], made["secretAccessKey"]
        for each, code in ((volume, "InvalidVolume.NotFound"), (snapshot, "InvalidSnapshot.NotFound")):
            with self.assertRaisesRegex(Failure, code):
                self.cloud.text_of("PileusDescribeEvents", *keys, ResourceId=each)

    def test_of_a_volume_that_was_never_attached(self):
        snapshot = self.ec2.create_snapshot(VolumeId=self.blank())
        self.assertEqual(snapshot["State"], "completed")

    def test_others_see_it_when_they_may(self):
        ec2 = self.ec2
        other, account = self.other("restorer")
        snapshot = ec2.create_snapshot(VolumeId=self.blank())["SnapshotId"]
        self.refused("InvalidSnapshot.NotFound", 400, other.describe_snapshots, SnapshotIds=[snapshot])
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add",
                                      UserIds=[account])
        self.assertEqual(len(other.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]), 1)
        self.refused("AuthFailure", 403, other.delete_snapshot, SnapshotId=snapshot)
        other.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
        permission = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        self.assertEqual(permission["CreateVolumePermissions"], [{"UserId": account}])
        ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        self.assertEqual(other.describe_snapshots()["Snapshots"], [])


class Images(VolumeTest):
    def test_an_instance_becomes_an_image_and_is_launched(self):
        ec2 = self.ec2
        instance = self.running(BlockDeviceMappings=[{"DeviceName": DEVICE, "Ebs": {"VolumeSize": 2}}])
        image = ec2.create_image(InstanceId=instance, Name="golden", Description="all set up", TagSpecifications=[
            {"ResourceType": "image", "Tags": [{"Key": "of", "Value": "image"}]},
            {"ResourceType": "snapshot", "Tags": [{"Key": "of", "Value": "snapshot"}]}])["ImageId"]
        self.refused("InvalidAMIName.Duplicate", 400, ec2.create_image, InstanceId=instance, Name="golden")
        self.await_all("image_available", ImageIds=[image])
        shown = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["gold*"]}])["Images"][0]
        self.assertEqual([each["DeviceName"] for each in shown["BlockDeviceMappings"]],
                         [shown["RootDeviceName"], DEVICE])
        snapshots = [each["Ebs"]["SnapshotId"] for each in shown["BlockDeviceMappings"]]
        tags = ec2.describe_snapshots(SnapshotIds=snapshots)["Snapshots"][0]["Tags"]
        self.assertEqual(tags, [{"Key": "of", "Value": "snapshot"}])
        launched = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.nano")["Instances"][0]
        self.wait("instance_running", launched["InstanceId"])
        disks = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id",
                                               "Values": [launched["InstanceId"]]}])["Volumes"]
        self.assertEqual({each["SnapshotId"] for each in disks}, set(snapshots))
        self.refused("InvalidSnapshot.InUse", 400, ec2.delete_snapshot, SnapshotId=snapshots[0])
        ec2.deregister_image(ImageId=image)
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"], [], "known for a while, and not there")
        self.refused("InvalidAMIID.NotFound", 400, ec2.describe_images, ImageIds=["ami-00000000000000001"])
        self.refused("InvalidAMIID.NotFound", 400, ec2.deregister_image, ImageId=image)
        for snapshot in snapshots:
            ec2.delete_snapshot(SnapshotId=snapshot)
        self.wait("instance_running", launched["InstanceId"])

    def test_without_a_reboot_and_of_a_stopped_one(self):
        instance = self.running()
        image = self.ec2.create_image(InstanceId=instance, Name="no reboot", NoReboot=True)["ImageId"]
        self.await_all("image_available", ImageIds=[image])
        self.ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        image = self.ec2.create_image(InstanceId=instance, Name="stopped")["ImageId"]
        self.await_all("image_available", ImageIds=[image])
        self.assertEqual(self.instance(instance)["State"]["Name"], "stopped")

    def test_register_copy_and_attributes(self):
        ec2 = self.ec2
        other, account = self.other("launcher")
        snapshot = ec2.create_snapshot(VolumeId=self.blank(size=2))["SnapshotId"]
        image = ec2.register_image(Name="registered", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        self.await_all("image_available", ImageIds=[image])
        copy = ec2.copy_image(Name="a copy", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
        self.await_all("image_available", ImageIds=[copy])
        self.refused("InvalidAMIID.NotFound", 400, other.describe_images, ImageIds=[image])
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": account}]})
        self.assertEqual(other.describe_images(ExecutableUsers=["self"])["Images"][0]["ImageId"], image)
        self.refused("AuthFailure", 403, other.deregister_image, ImageId=image)
        permission = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
        self.assertEqual(permission, [{"UserId": account}])
        ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
        self.assertEqual(other.describe_images(ExecutableUsers=["self"])["Images"], [])
        ec2.modify_image_attribute(ImageId=image, Description={"Value": "other words"})
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["Description"], "other words")
        ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2099-01-01T00:00:00Z")
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["DeprecationTime"],
                         "2099-01-01T00:00:00.000Z")
        self.refused("OperationNotPermitted", 400, ec2.deregister_image, ImageId=self.image)
        self.refused("InvalidBlockDeviceMapping", 400, ec2.register_image, Name="rootless")


class Restart(VolumeTest):
    def test_everything_is_there_again(self):
        volume, instance = self.blank(), self.running()
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.cloud.kill()
        self.cloud.start()
        self.await_all("snapshot_completed", SnapshotIds=[snapshot])
        wait_until(lambda: self.volume(volume)["Attachments"][0]["State"] == "attached", "it is attached")


class Awscli(unittest.TestCase):
    aws = AwscliBase.aws
    state = AwscliBase.state

    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def test_round(self):
        aws = self.aws
        image = wait_until(lambda: aws("describe-images")["Images"], "the image is there")[0]["ImageId"]
        instance = aws("run-instances", "--image-id", image, "--instance-type", "t3.micro")["Instances"][0]["InstanceId"]
        wait_until(lambda: self.state(instance) == "running", "it runs")
        volume = aws("create-volume", "--availability-zone", ZONE, "--size", "1")["VolumeId"]
        aws("wait", "volume-available", "--volume-ids", volume)
        aws("attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", DEVICE)
        wait_until(lambda: aws("describe-volumes", "--volume-ids", volume)["Volumes"][0]["State"] == "in-use", "in use")
        aws("wait", "volume-in-use", "--volume-ids", volume)
        snapshot = aws("create-snapshot", "--volume-id", volume, "--description", "one")["SnapshotId"]
        wait_until(lambda: aws("describe-snapshots", "--snapshot-ids", snapshot)["Snapshots"][0]["State"] == "completed",
                   "it is completed")
        aws("wait", "snapshot-completed", "--snapshot-ids", snapshot)
        made = aws("create-image", "--instance-id", instance, "--name", "of awscli")["ImageId"]
        wait_until(lambda: aws("describe-images", "--image-ids", made)["Images"][0]["State"] == "available", "available")
        aws("detach-volume", "--volume-id", volume)
        aws("terminate-instances", "--instance-ids", instance)


class Libcloud(unittest.TestCase):
    driver = LibcloudBase.driver

    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def test_round(self):
        driver = self.driver("2")
        image = wait_until(driver.list_images, "the image is there")[0]
        size = next(each for each in driver.list_sizes() if each.id == "t3.micro")
        node = driver.create_node(name="first", image=image, size=size)
        driver.wait_until_running([node], wait_period=0.2, timeout=PATIENCE_S, ssh_interface="private_ips")
        volume = driver.create_volume(1, "data", location=driver.list_locations()[0])
        self.assertTrue(driver.attach_volume(node, volume, DEVICE))

        def now():
            return next(each for each in driver.list_volumes() if each.id == volume.id)

        wait_until(lambda: now().extra["instance_id"] == node.id, "it is attached")
        snapshot = driver.create_volume_snapshot(volume, name="s")
        wait_until(lambda: any(each.id == snapshot.id for each in driver.list_volume_snapshots(volume)), "it is listed")
        made = driver.create_image(node, "of libcloud")
        wait_until(lambda: any(each.id == made.id for each in driver.list_images()), "it is listed")
        self.assertTrue(driver.detach_volume(volume))
        wait_until(lambda: not now().extra["instance_id"], "it is detached")
        self.assertTrue(driver.destroy_volume_snapshot(snapshot))
        self.assertTrue(driver.destroy_volume(volume))
        self.assertTrue(driver.destroy_node(node))


del CloudTest, VolumeTest, AwscliBase, LibcloudBase  # they are no tests of this file

if __name__ == "__main__":
    unittest.main()
