"""Disks come into the cloud as files and go out of it, by boto3 and awscli, against a cloud whose hosts only pretend."""

import unittest

from awscli_test import Awscli as AwscliBase
from case import CloudTest
from cloud import Cloud, wait_until

URL = "http://images.example/disk.vmdk"


class Transfers(CloudTest):
    HOSTS = 2

    def task(self, task):
        return self.ec2.describe_import_image_tasks(ImportTaskIds=[task])["ImportImageTasks"][0]

    def snapshot_task(self, task):
        found = self.ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]
        return found["SnapshotTaskDetail"]

    def export(self, task):
        return self.ec2.describe_export_image_tasks(ExportImageTaskIds=[task])["ExportImageTasks"][0]

    def done(self, show, task):
        wait_until(lambda: show(task)["Status"] == "completed", f"{task} is completed")
        return show(task)

    def test_an_image_comes_and_goes(self):
        ec2 = self.ec2
        asked = ec2.import_image(Description="mine", ClientToken="once", DiskContainers=[
            {"Format": "VMDK", "Url": URL, "Description": "root"}, {"Url": URL, "DeviceName": "/dev/xvdf"}],
            TagSpecifications=[{"ResourceType": "import-image-task", "Tags": [{"Key": "Name", "Value": "m"}]}])
        task = asked["ImportTaskId"]
        self.assertRegex(task, "^import-ami-0[0-9a-f]{16}$")
        self.assertEqual(asked["Status"], "active")
        self.assertEqual(ec2.import_image(Description="mine", ClientToken="once", DiskContainers=[
            {"Format": "VMDK", "Url": URL, "Description": "root"}, {"Url": URL, "DeviceName": "/dev/xvdf"}],
            TagSpecifications=[{"ResourceType": "import-image-task", "Tags": [{"Key": "Name", "Value": "m"}]}],
        )["ImportTaskId"], task, "the same token is the same task")
        seen = self.done(self.task, task)
        self.assertEqual([each["DeviceName"] for each in seen["SnapshotDetails"]], ["/dev/xvda", "/dev/xvdf"])
        self.assertEqual(seen["SnapshotDetails"][0]["Format"], "VMDK")
        image = ec2.describe_images(ImageIds=[seen["ImageId"]])["Images"][0]
        self.assertEqual((image["State"], image["Name"], image["Description"]), ("available", task, "mine"))
        self.assertEqual(image["Tags"], [{"Key": "Name", "Value": "m"}])
        snapshots = [each["Ebs"]["SnapshotId"] for each in image["BlockDeviceMappings"]]
        self.assertEqual(snapshots, [each["SnapshotId"] for each in seen["SnapshotDetails"]])
        for each in ec2.describe_snapshots(SnapshotIds=snapshots)["Snapshots"]:
            self.assertEqual((each["State"], each["VolumeId"]), ("completed", "vol-ffffffff"))
        instance = ec2.run_instances(ImageId=seen["ImageId"], MinCount=1, MaxCount=1,
                                     InstanceType="t3.micro")["Instances"][0]["InstanceId"]
        self.wait("instance_running", instance)

        export = ec2.export_image(ImageId=seen["ImageId"], DiskImageFormat="VHD",
                                  S3ExportLocation={"S3Bucket": "mine", "S3Prefix": "disks/"})["ExportImageTaskId"]
        self.assertRegex(export, "^export-ami-0[0-9a-f]{16}$")
        shown = self.done(self.export, export)
        self.assertEqual(shown["S3ExportLocation"], {"S3Bucket": "mine", "S3Prefix": "disks/"})
        ec2.terminate_instances(InstanceIds=[instance])

    def test_a_snapshot_comes(self):
        ec2 = self.ec2
        task = ec2.import_snapshot(Description="data", DiskContainer={"Format": "RAW", "Url": URL}, TagSpecifications=[
            {"ResourceType": "import-snapshot-task", "Tags": [{"Key": "stage", "Value": "1"}]}])["ImportTaskId"]
        self.assertRegex(task, "^import-snap-0[0-9a-f]{16}$")
        seen = self.done(self.snapshot_task, task)
        snapshot = ec2.describe_snapshots(SnapshotIds=[seen["SnapshotId"]])["Snapshots"][0]
        self.assertEqual((snapshot["State"], snapshot["Description"]), ("completed", "data"))
        self.assertEqual(snapshot["Tags"], [{"Key": "stage", "Value": "1"}])
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=seen["SnapshotId"])
        self.assertEqual(volume["Size"], snapshot["VolumeSize"])
        found = ec2.describe_import_snapshot_tasks(Filters=[{"Name": "task-state", "Values": ["completed"]}])
        self.assertIn(task, [each["ImportTaskId"] for each in found["ImportSnapshotTasks"]])
        # An image may be made of it and of a file.
        image = ec2.import_image(DiskContainers=[{"SnapshotId": seen["SnapshotId"]}, {"Url": URL}])["ImportTaskId"]
        details = self.done(self.task, image)["SnapshotDetails"]
        self.assertEqual(details[0]["SnapshotId"], seen["SnapshotId"])

    def test_what_cannot_be(self):
        ec2 = self.ec2
        for bad in ({"Url": "ftp://somewhere/disk"}, {"Format": "ova", "Url": URL}, {"Url": "file://nobody/disk.raw"},
                    {"Url": "file:///disk.raw"},
                    {"UserBucket": {"S3Bucket": "simulated-1:mine", "S3Key": "../../secret"}},
                    {"UserBucket": {"S3Bucket": "simulated-1:mine", "S3Key": "a/" * 512 + "a"}},
                    {"UserBucket": {"S3Bucket": "mine", "S3Key": "disk"}},
                    {"UserBucket": {"S3Bucket": "simulated-1:M", "S3Key": "disk"}}):
            with self.subTest(bad):
                self.refused("InvalidParameterValue", 400, ec2.import_snapshot, DiskContainer=bad)
        self.refused("MissingParameter", 400, ec2.import_image)
        self.refused("UnsupportedOperation", 400, ec2.import_image, Architecture="arm64", DiskContainers=[{"Url": URL}])
        self.refused("UnsupportedOperation", 400, ec2.import_image, Encrypted=True, DiskContainers=[{"Url": URL}])
        self.refused("InvalidParameterCombination", 400, ec2.import_image, DiskContainers=[
            {"Url": "file://simulated-1/a"}, {"Url": "file://simulated-2/a"}])
        self.refused("InvalidConversionTaskId", 400, ec2.describe_import_image_tasks, ImportTaskIds=["import-ami-1"])
        self.refused("InvalidExportTaskID.NotFound", 400, ec2.describe_export_image_tasks,
                     ExportImageTaskIds=["export-ami-01234567890abcdef"])
        self.refused("InvalidParameterValue", 400, ec2.export_image, ImageId=self.image, DiskImageFormat="VHDX",
                     S3ExportLocation={"S3Bucket": "mine"})
        self.refused("InvalidParameterValue", 400, ec2.export_image, ImageId=self.image, DiskImageFormat="RAW",
                     S3ExportLocation={"S3Bucket": "mine", "S3Prefix": "../"})

    def test_others_see_nothing_and_read_no_files_of_hosts(self):
        task = self.ec2.import_snapshot(DiskContainer={"Url": URL})["ImportTaskId"]
        made = self.cloud.call("PileusCreateAccount", Name="other")
        other = self.cloud.client("ec2", made["accessKeyId"], made["secretAccessKey"])
        self.assertEqual(other.describe_import_snapshot_tasks()["ImportSnapshotTasks"], [])
        self.refused("InvalidConversionTaskId", 400, other.describe_import_snapshot_tasks, ImportTaskIds=[task])
        self.refused("InvalidConversionTaskId", 400, other.cancel_import_task, ImportTaskId=task)
        self.refused("UnauthorizedOperation", 403, other.import_snapshot,
                     DiskContainer={"Url": "file://simulated-1/etc/shadow"})


class Awscli(unittest.TestCase):
    aws = AwscliBase.aws

    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def test_round(self):
        task = self.aws("import-image", "--disk-containers", f"Url={URL},Format=raw")["ImportTaskId"]

        def status():
            tasks = self.aws("describe-import-image-tasks", "--import-task-ids", task)["ImportImageTasks"]
            return tasks[0]["Status"]

        wait_until(lambda: status() == "completed", "it is done")
        self.assertEqual(self.aws("cancel-import-task", "--import-task-id", task)["State"], "completed")


del AwscliBase, CloudTest  # they are no tests of this file

if __name__ == "__main__":
    unittest.main()
