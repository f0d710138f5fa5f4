"""Launch templates, placement groups and the options of instances by boto3."""

import base64
import unittest

from case import CloudTest
from cloud import wait_until


class Templates(CloudTest):
    def test_life(self):
        ec2 = self.ec2
        data = {"ImageId": self.image, "InstanceType": "t3.small", "UserData": base64.b64encode(b"hello").decode(),
                "MetadataOptions": {"HttpTokens": "required"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"},
                                                                            {"Key": "both", "Value": "template"}]}]}
        made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data, VersionDescription="first",
                                          ClientToken="one")["LaunchTemplate"]
        again = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data, VersionDescription="first",
                                           ClientToken="one")["LaunchTemplate"]
        template = made["LaunchTemplateId"]
        self.assertEqual(again["LaunchTemplateId"], template)
        self.refused("InvalidLaunchTemplateName.AlreadyExistsException", 400, ec2.create_launch_template,
                     LaunchTemplateName="web", LaunchTemplateData=data)
        self.refused("InvalidLaunchTemplateName.NotFoundException", 400, ec2.describe_launch_templates,
                     LaunchTemplateNames=["nothing"])
        second = ec2.create_launch_template_version(LaunchTemplateName="web", SourceVersion="1",
                                                    LaunchTemplateData={"InstanceType": "t3.nano"})
        version = second["LaunchTemplateVersion"]
        self.assertEqual((version["VersionNumber"], version["DefaultVersion"]), (2, False))
        self.assertEqual(version["LaunchTemplateData"]["ImageId"], self.image)
        self.assertEqual(len(version["LaunchTemplateData"]["TagSpecifications"][0]["Tags"]), 2)
        found = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        self.assertEqual([each["VersionNumber"] for each in found["LaunchTemplateVersions"]], [2])

        instance = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": "web"}, MinCount=1, MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "both", "Value": "request"}]}])["Instances"][0]
        self.assertEqual(instance["InstanceType"], "t3.small")
        self.assertEqual(instance["MetadataOptions"]["HttpTokens"], "required")
        self.assertEqual({tag["Key"]: tag["Value"] for tag in instance["Tags"]}, {"from": "template", "both": "request"})
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance["InstanceId"]]},
                                          {"Name": "key", "Values": ["aws:ec2launchtemplate:id"]}])["Tags"]
        self.assertEqual([tag["Value"] for tag in tags], [template])
        latest = self.ec2.run_instances(LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
                                        MinCount=1, MaxCount=1)["Instances"][0]
        self.assertEqual(latest["InstanceType"], "t3.nano")
        over = self.run_one(LaunchTemplate={"LaunchTemplateId": template})
        self.assertEqual(self.instance(over)["InstanceType"], "t3.micro")
        self.refused("InvalidLaunchTemplateId.VersionNotFound", 400, self.run_one,
                     LaunchTemplate={"LaunchTemplateId": template, "Version": "7"})

        like = ec2.get_launch_template_data(InstanceId=over)["LaunchTemplateData"]
        self.assertEqual((like["ImageId"], like["InstanceType"]), (self.image, "t3.micro"))
        self.assertEqual(like["NetworkInterfaces"][0]["DeviceIndex"], 0)
        self.assertEqual(len(like["NetworkInterfaces"][0]["Groups"]), 1)

        result = ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1", "2", "9"])
        self.assertEqual([each["VersionNumber"] for each in result["SuccessfullyDeletedLaunchTemplateVersions"]], [2])
        self.assertEqual([each["ResponseError"]["Code"] for each in
                          result["UnsuccessfullyDeletedLaunchTemplateVersions"]],
                         ["unexpectedError", "launchTemplateVersionDoesNotExist"])
        third = ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": self.image})
        self.assertEqual(third["LaunchTemplateVersion"]["VersionNumber"], 3, "numbers are not given twice")
        changed = ec2.modify_launch_template(LaunchTemplateName="web", DefaultVersion="3")["LaunchTemplate"]
        self.assertEqual(changed["DefaultVersionNumber"], 3)
        ec2.delete_launch_template(LaunchTemplateName="web")
        self.assertEqual(ec2.describe_launch_templates()["LaunchTemplates"], [])
        self.refused("InvalidLaunchTemplateId.NotFound", 400, ec2.describe_launch_templates,
                     LaunchTemplateIds=[template])


class Groups(CloudTest):
    def test_placement_groups(self):
        ec2 = self.ec2
        made = ec2.create_placement_group(GroupName="apart", Strategy="spread", SpreadLevel="host")["PlacementGroup"]
        self.assertEqual((made["Strategy"], made["SpreadLevel"], made["State"]), ("spread", "host", "available"))
        self.refused("InvalidPlacementGroup.Duplicate", 400, ec2.create_placement_group, GroupName="apart",
                     Strategy="cluster")
        self.refused("InvalidPlacementGroup.Unknown", 400, self.run_one, Placement={"GroupName": "nowhere"})
        ids = [self.run_one(Placement={"GroupName": "apart"}) for _ in range(self.HOSTS)]
        self.wait("instance_running", *ids)
        hosts = {self.instance(each)["Placement"]["HostId"] for each in ids}
        self.assertEqual(len(hosts), self.HOSTS, "each on a host of its own")
        self.assertEqual(self.instance(ids[0])["Placement"]["GroupName"], "apart")
        one_more = self.run_one(Placement={"GroupName": "apart"})
        wait_until(lambda: self.instance(one_more)["State"]["Name"] == "terminated", "there is no fourth host")
        self.refused("InvalidPlacementGroup.InUse", 400, ec2.delete_placement_group, GroupName="apart")
        ec2.terminate_instances(InstanceIds=ids)
        self.wait("instance_terminated", *ids)
        ec2.delete_placement_group(GroupName="apart")
        parts = ec2.create_placement_group(GroupName="parts", Strategy="partition", PartitionCount=3)["PlacementGroup"]
        self.assertEqual(parts["PartitionCount"], 3)
        self.refused("InvalidParameterValue", 400, self.run_one, Placement={"GroupName": "parts", "PartitionNumber": 4})
        placed = self.run_one(Placement={"GroupName": "parts", "PartitionNumber": 2})
        self.wait("instance_running", placed)
        self.assertEqual(self.instance(placed)["Placement"]["PartitionNumber"], 2)


class Options(CloudTest):
    def stopped(self):
        instance = self.run_one()
        self.wait("instance_running", instance)
        self.ec2.stop_instances(InstanceIds=[instance])
        self.wait("instance_stopped", instance)
        return instance

    def attribute(self, instance, name):
        answer = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
        return answer[name[0].upper() + name[1:]]["Value"]

    def test_type(self):
        instance = self.stopped()
        self.ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "m5.large"})
        self.assertEqual(self.attribute(instance, "instanceType"), "m5.large")
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait("instance_running", instance)
        self.assertEqual(self.instance(instance)["CpuOptions"]["CoreCount"], 2)
        self.refused("IncorrectInstanceState", 400, self.ec2.modify_instance_attribute, InstanceId=instance,
                     InstanceType={"Value": "t3.micro"})
        self.refused("InvalidParameterValue", 400, self.ec2.modify_instance_attribute, InstanceId=self.stopped(),
                     InstanceType={"Value": "t99.huge"})

    def test_attributes(self):
        ec2 = self.ec2
        instance = self.run_one(DisableApiStop=True, InstanceInitiatedShutdownBehavior="terminate",
                                Monitoring={"Enabled": True})
        self.wait("instance_running", instance)
        self.assertEqual(self.instance(instance)["Monitoring"]["State"], "enabled")
        self.assertEqual(self.attribute(instance, "instanceInitiatedShutdownBehavior"), "terminate")
        self.refused("OperationNotPermitted", 400, ec2.stop_instances, InstanceIds=[instance])
        self.refused("InvalidParameterCombination", 400, ec2.modify_instance_attribute, InstanceId=instance,
                     DisableApiStop={"Value": False}, SourceDestCheck={"Value": False})
        self.refused("InvalidParameterCombination", 400, ec2.modify_instance_attribute, InstanceId=instance)
        ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": False})
        self.assertFalse(self.attribute(instance, "disableApiStop"))
        ec2.modify_instance_attribute(InstanceId=instance, Attribute="instanceInitiatedShutdownBehavior", Value="stop")
        self.assertEqual(self.attribute(instance, "instanceInitiatedShutdownBehavior"), "stop")
        ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
        self.assertFalse(self.instance(instance)["SourceDestCheck"])
        ec2.reset_instance_attribute(InstanceId=instance, Attribute="sourceDestCheck")
        self.assertTrue(self.instance(instance)["SourceDestCheck"])
        ec2.modify_instance_attribute(InstanceId=instance, EbsOptimized={"Value": False})
        self.refused("UnsupportedOperation", 400, ec2.modify_instance_attribute, InstanceId=instance,
                     EbsOptimized={"Value": True})
        self.assertEqual(ec2.unmonitor_instances(InstanceIds=[instance])["InstanceMonitorings"][0]["Monitoring"],
                         {"State": "disabled"})
        self.assertEqual(ec2.get_password_data(InstanceId=instance)["PasswordData"], "")
        self.assertEqual(ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"], [])

    def test_metadata_options(self):
        ec2 = self.ec2
        instance = self.run_one(MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 2})
        changed = ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required",
                                                       InstanceMetadataTags="enabled")["InstanceMetadataOptions"]
        self.assertEqual((changed["HttpTokens"], changed["HttpPutResponseHopLimit"], changed["HttpEndpoint"]),
                         ("required", 2, "enabled"))
        self.refused("InvalidParameterValue", 400, ec2.modify_instance_metadata_options, InstanceId=instance,
                     HttpPutResponseHopLimit=65)
        self.assertEqual(self.instance(instance)["MetadataOptions"]["InstanceMetadataTags"], "enabled")

    def test_credits_and_maintenance(self):
        ec2 = self.ec2
        instance = self.run_one(CreditSpecification={"CpuCredits": "standard"})
        shown = ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
        self.assertEqual(shown, [{"InstanceId": instance, "CpuCredits": "standard"}])
        result = ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[
            {"InstanceId": instance, "CpuCredits": "unlimited"},
            {"InstanceId": "i-0123456789abcdef0", "CpuCredits": "unlimited"}])
        self.assertEqual(result["SuccessfulInstanceCreditSpecifications"], [{"InstanceId": instance}])
        self.assertEqual(result["UnsuccessfulInstanceCreditSpecifications"][0]["Error"]["Code"],
                         "InvalidInstanceID.NotFound")
        ec2.modify_instance_maintenance_options(InstanceId=instance, AutoRecovery="disabled")
        self.assertEqual(self.instance(instance)["MaintenanceOptions"], {"AutoRecovery": "disabled"})

    def test_rules_changed_in_place(self):
        ec2 = self.ec2
        group = ec2.create_security_group(GroupName="changing", Description="rules")["GroupId"]
        rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[
            {"SecurityGroupRuleId": rule, "SecurityGroupRule": {
                "IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "CidrIpv4": "0.0.0.0/0", "Description": "web"}}])
        shown = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
        self.assertEqual((shown["FromPort"], shown["ToPort"], shown["CidrIpv4"], shown["Description"]),
                         (80, 81, "0.0.0.0/0", "web"))
        self.refused("InvalidSecurityGroupRuleId.NotFound", 400, ec2.modify_security_group_rules, GroupId=group,
                     SecurityGroupRules=[{"SecurityGroupRuleId": "sgr-0123456789abcdef0", "SecurityGroupRule": {
                         "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "0.0.0.0/0"}}])


if __name__ == "__main__":
    unittest.main()
