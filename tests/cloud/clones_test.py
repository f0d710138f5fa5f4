"""Clones of instances, and instances that move to another host, by the API and by the command line, against a cloud whose
hosts only pretend."""

import json
import os
import subprocess
import unittest

from case import CloudTest
from cloud import BUILD, REGION, Failure, wait_until

DEVICE = "/dev/sdf"


class CloneTest(CloudTest):
    HOSTS = 3

    def running(self, **more):
        instance = self.run_one(**more)
        self.wait("instance_running", instance)
        return instance

    def ask(self, action, **parameters):
        return self.cloud.call(action, **parameters)

    def refused_own(self, code, action, **parameters):
        with self.assertRaises(Failure) as caught:
            self.ask(action, **parameters)
        self.assertIn(f"<Code>{code}</Code>", str(caught.exception))
        return str(caught.exception)

    def volumes_of(self, instance):
        found = self.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
        return {each["Attachments"][0]["Device"]: each for each in found}

    def end(self, *instances):
        self.ec2.terminate_instances(InstanceIds=list(instances))
        self.wait("instance_terminated", *instances)

    def pileus(self, *words, fails=False):
        settings = {"PILEUS_HOME": str(self.cloud.folder / "home"), "PILEUS_ENDPOINT": self.cloud.endpoint,
                    "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": self.cloud.access_key,
                    "AWS_SECRET_ACCESS_KEY": self.cloud.secret_key}
        done = subprocess.run([BUILD / "apps" / "pileus", *words], env=os.environ | settings, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode != 0, fails, done.stdout + done.stderr)
        return done.stderr if fails else done.stdout

    def other_account(self, name):
        made = self.ask("PileusCreateAccount", Name=name)
        return made["accessKeyId"], made["secretAccessKey"]


class Clones(CloneTest):
    def test_is_as_its_source_but_for_what_is_its_own(self):
        ec2 = self.ec2
        group = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
        source = self.running(
            SecurityGroupIds=[group], UserData="#!/bin/sh\n", MetadataOptions={"HttpTokens": "required"},
            BlockDeviceMappings=[{"DeviceName": DEVICE, "Ebs": {"VolumeSize": 2}}],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"},
                                                                     {"Key": "team", "Value": "blue"}]},
                               {"ResourceType": "volume", "Tags": [{"Key": "kept", "Value": "yes"}]}])
        clone = self.ask("PileusCloneInstance", InstanceId=source, InstanceType="t3.small", **{
            "TagSpecification.1.ResourceType": "instance", "TagSpecification.1.Tag.1.Key": "Name",
            "TagSpecification.1.Tag.1.Value": "copy"})["instanceId"]
        self.wait("instance_running", clone)
        old, new = self.instance(source), self.instance(clone)
        for same in ("ImageId", "SubnetId", "SecurityGroups"):
            self.assertEqual(new[same], old[same], same)
        self.assertEqual(new["MetadataOptions"]["HttpTokens"], "required")
        self.assertEqual(new["InstanceType"], "t3.small")
        self.assertNotEqual(new["PrivateIpAddress"], old["PrivateIpAddress"])
        self.assertEqual({each["Key"]: each["Value"] for each in new["Tags"]}, {"Name": "copy", "team": "blue"})
        data = ec2.describe_instance_attribute(InstanceId=clone, Attribute="userData")["UserData"]
        self.assertEqual(data, ec2.describe_instance_attribute(InstanceId=source, Attribute="userData")["UserData"])
        copies, originals = self.volumes_of(clone), self.volumes_of(source)
        self.assertEqual(copies.keys(), originals.keys())
        for device, copy in copies.items():
            self.assertNotEqual(copy["VolumeId"], originals[device]["VolumeId"])
            self.assertEqual((copy["Size"], copy["Tags"]), (originals[device]["Size"], [{"Key": "kept", "Value": "yes"}]))
        self.assertEqual(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"], [], "nobody's to see")
        self.end(source, clone)
        self.assertEqual(ec2.describe_volumes()["Volumes"], [])

    def test_of_a_stopped_one_with_other_disks(self):
        source = self.running(BlockDeviceMappings=[
            {"DeviceName": DEVICE, "Ebs": {"VolumeSize": 2}}, {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 3}}])
        self.ec2.stop_instances(InstanceIds=[source])
        self.wait("instance_stopped", source)
        self.refused_own("InvalidBlockDeviceMapping", "PileusCloneInstance", InstanceId=source, **{
            "BlockDeviceMapping.1.DeviceName": DEVICE, "BlockDeviceMapping.1.Ebs.VolumeSize": 1})
        clone = self.ask("PileusCloneInstance", InstanceId=source, **{
            "BlockDeviceMapping.1.DeviceName": DEVICE, "BlockDeviceMapping.1.Ebs.VolumeSize": 5,
            "BlockDeviceMapping.2.DeviceName": "/dev/sdg", "BlockDeviceMapping.2.NoDevice": ""})["instanceId"]
        self.wait("instance_running", clone)
        self.assertEqual(self.instance(source)["State"]["Name"], "stopped")
        sizes = {device: volume["Size"] for device, volume in self.volumes_of(clone).items()}
        self.assertEqual(sizes, {"/dev/xvda": 8, DEVICE: 5})
        self.end(source, clone)

    def test_once_for_a_token(self):
        source = self.running()
        wish = {"InstanceId": source, "Count": 2, "ClientToken": "once"}
        first = self.cloud.text_of("PileusCloneInstance", **wish)
        self.assertEqual(first.count("<amiLaunchIndex>"), 2)
        reservation = self.ask("PileusCloneInstance", **wish)["reservationId"]
        self.assertIn(reservation, first)
        self.refused_own("IdempotentParameterMismatch", "PileusCloneInstance", **wish | {"Count": 1})
        self.refused_own("DryRunOperation", "PileusCloneInstance", InstanceId=source, DryRun="true")
        self.refused_own("InvalidParameterValue", "PileusCloneInstance", InstanceId=source, Count=0)
        found = self.ec2.describe_instances(Filters=[{"Name": "reservation-id", "Values": [reservation]}])
        clones = [each["InstanceId"] for each in found["Reservations"][0]["Instances"]]
        self.wait("instance_running", *clones)
        self.end(source, *clones)

    def test_who_may_and_how_much(self):
        source = self.running()
        keys = self.other_account("stranger")
        with self.assertRaisesRegex(Failure, "InvalidInstanceID.NotFound"):
            self.cloud.text_of("PileusCloneInstance", *keys, InstanceId=source)
        with self.assertRaisesRegex(Failure, "InvalidInstanceID.NotFound"):
            self.cloud.text_of("PileusMigrateInstance", *keys, InstanceId=source, Reboot="true")
        self.refused_own("InvalidInstanceID.NotFound", "PileusCloneInstance", InstanceId="i-00000000000000001")
        self.refused_own("MissingParameter", "PileusCloneInstance")
        poor = self.ask("PileusCreateAccount", Name="poor", MaxInstances=1)
        client = self.cloud.client("ec2", poor["accessKeyId"], poor["secretAccessKey"])
        own = client.run_instances(ImageId=self.image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        wait_until(lambda: client.describe_instances(InstanceIds=[own])["Reservations"][0]["Instances"][0]["State"]["Name"]
                   == "running", "it runs")
        with self.assertRaisesRegex(Failure, "InstanceLimitExceeded"):
            self.cloud.text_of("PileusCloneInstance", poor["accessKeyId"], poor["secretAccessKey"], InstanceId=own)
        client.terminate_instances(InstanceIds=[own])
        self.end(source)
        self.refused_own("IncorrectInstanceState", "PileusCloneInstance", InstanceId=source)

    def test_by_the_command_line(self):
        source = self.running(TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "one"}]}])
        self.pileus("clone", "one", "--no-wait")
        made = json.loads(self.pileus("clone", "one", "--name", "two", "--type", "t3.nano", "--no-wait", "--json"))
        self.assertEqual([(each["name"], each["type"]) for each in made], [("two", "t3.nano")])
        names = {each["name"]: each["id"] for each in json.loads(self.pileus("ps", "--json"))}
        self.assertEqual(names.keys() & {"one", "one-1", "two"}, {"one", "one-1", "two"})
        self.assertIn("there is no instance 'nobody'", self.pileus("clone", "nobody", fails=True))
        self.wait("instance_running", names["one-1"], names["two"])
        self.end(source, names["one-1"], names["two"])


class Migrations(CloneTest):
    def host_of(self, instance):
        return self.ask("PileusExplain", InstanceId=instance)["hostId"]

    def another_host(self, instance):
        hosts = [each["id"] for each in json.loads(self.pileus("host", "ls", "--json"))]
        return next(host for host in hosts if host != self.host_of(instance))

    def arrives(self, instance, host, state):
        wait_until(lambda: self.host_of(instance) == host and self.instance(instance)["State"]["Name"] == state,
                   f"it is {state} on {host}")

    def test_stopped_and_running(self):
        instance = self.running(BlockDeviceMappings=[{"DeviceName": DEVICE, "Ebs": {"VolumeSize": 2}}])
        before, volumes = self.instance(instance), self.volumes_of(instance)
        self.assertIn("Reboot=true", self.refused_own("IncorrectInstanceState", "PileusMigrateInstance",
                                                      InstanceId=instance))
        target = self.another_host(instance)
        begun = self.ask("PileusMigrateInstance", InstanceId=instance, HostId=target, Reboot="true")
        self.assertEqual(begun["targetHostId"], target)
        self.arrives(instance, target, "running")
        after = self.instance(instance)
        for same in ("InstanceId", "PrivateIpAddress", "SubnetId", "ImageId", "LaunchTime"):
            self.assertEqual(after[same], before[same], same)
        self.assertEqual({device: each["VolumeId"] for device, each in self.volumes_of(instance).items()},
                         {device: each["VolumeId"] for device, each in volumes.items()})
        self.assertIn("moved here from", self.cloud.text_of("PileusExplain", InstanceId=instance))
        self.ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        target = self.ask("PileusMigrateInstance", InstanceId=instance)["targetHostId"]
        self.assertNotEqual(target, begun["targetHostId"])
        self.arrives(instance, target, "stopped")
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait("instance_running", instance)
        self.assertEqual(self.host_of(instance), target)
        self.end(instance)

    def test_what_is_refused(self):
        instance = self.running()
        here = self.host_of(instance)
        self.refused_own("InvalidHostID.NotFound", "PileusMigrateInstance", InstanceId=instance, Reboot="true",
                         HostId="h-00000000000000abc")
        self.refused_own("IncorrectInstanceState", "PileusMigrateInstance", InstanceId=instance, Reboot="true",
                         HostId=here)
        self.refused_own("IncorrectInstanceState", "PileusMigrateInstance", InstanceId=instance, Cancel="true")
        self.refused_own("DryRunOperation", "PileusMigrateInstance", InstanceId=instance, DryRun="true")
        self.ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
        self.refused_own("OperationNotPermitted", "PileusMigrateInstance", InstanceId=instance, Reboot="true")
        self.ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": False})
        others = [each["id"] for each in json.loads(self.pileus("host", "ls", "--json")) if each["id"] != here]
        for host in others:
            self.pileus("host", "maintenance", host)
        answer = self.refused_own("InsufficientInstanceCapacity", "PileusMigrateInstance", InstanceId=instance,
                                  Reboot="true")
        self.assertIn("2 are in maintenance, 1 have it now", answer)
        for host in others:
            self.pileus("host", "active", host)
        self.assertEqual((self.host_of(instance), self.instance(instance)["State"]["Name"]), (here, "running"))
        self.end(instance)

    def test_by_the_command_line(self):
        instance = self.running(TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "mover"}]}])
        hosts = {each["id"]: each["name"] for each in json.loads(self.pileus("host", "ls", "--json"))}
        target = self.another_host(instance)
        self.assertIn("--reboot", self.pileus("migrate", "mover", fails=True))
        self.assertIn("has moved from", self.pileus("migrate", "mover", "--to", hosts[target], "--reboot"))
        self.assertEqual((self.host_of(instance), self.instance(instance)["State"]["Name"]), (target, "running"))
        done = json.loads(self.pileus("migrate", "mover", "--reboot", "--json"))
        self.assertEqual((done["from"], done["to"], done["arrived"]), (target, self.host_of(instance), True))
        self.assertIn("is not on its way", self.pileus("migrate", "mover", "--cancel", fails=True))
        self.assertIn("there is no host 'nowhere'", self.pileus("migrate", "mover", "--reboot", "--to", "nowhere",
                                                                fails=True))
        self.end(instance)


if __name__ == "__main__":
    unittest.main()
