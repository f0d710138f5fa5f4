#include "ec2/groups.h"
#include "ec2/instances/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{
        "RunInstances", Kind::kChanges,
        "ImageId:s! InstanceType:s MinCount:i! MaxCount:i! KeyName:s SecurityGroup.N:s SecurityGroupId.N:s SubnetId:s "
        "UserData:d ClientToken:s Placement.AvailabilityZone:s Placement.GroupName:s Placement.HostId:s "
        "DisableApiTermination:b BlockDeviceMapping.N.DeviceName:s BlockDeviceMapping.N.Ebs.VolumeSize:i "
        "NetworkInterface.N.DeviceIndex:i NetworkInterface.N.SubnetId:s NetworkInterface.N.SecurityGroupId.N:s "
        "PrivateIpAddress:s " PILEUS_TAGS,
        "Launches instances of an image.", run_instances},
    Action{"DescribeInstances", Kind::kReads, "InstanceId.N:s " PILEUS_PAGES,
           "Tells of instances, also of those terminated within the last hour.", describe_instances},
    Action{"StartInstances", Kind::kChanges, "InstanceId.N:s", "Starts stopped instances.", start_instances},
    Action{"StopInstances", Kind::kChanges, "InstanceId.N:s Force:b", "Stops instances: they keep their disks.",
           stop_instances},
    Action{"RebootInstances", Kind::kChanges, "InstanceId.N:s", "Reboots instances.", reboot_instances},
    Action{"TerminateInstances", Kind::kChanges, "InstanceId.N:s", "Ends instances for good: their disks go with them.",
           terminate_instances},
    Action{"DescribeInstanceStatus", Kind::kReads, "InstanceId.N:s IncludeAllInstances:b " PILEUS_PAGES,
           "Tells whether instances are well.", describe_instance_status},
    Action{"DescribeInstanceAttribute", Kind::kReads, "InstanceId:s! Attribute:s!",
           "Tells one attribute of an instance.", describe_instance_attribute},
    Action{"ModifyInstanceAttribute", Kind::kChanges,
           "InstanceId:s! Attribute:s Value:s DisableApiTermination.Value:b InstanceType.Value:s UserData.Value:d "
           "GroupId.N:s",
           "Changes one attribute of an instance.", modify_instance_attribute},
    Action{"DescribeInstanceCreditSpecifications", Kind::kReads, "InstanceId.N:s " PILEUS_PAGES,
           "Tells that instances may use their processors without credits.", describe_instance_credit_specifications},
    Action{"GetConsoleOutput", Kind::kReads, "InstanceId:s! Latest:b",
           "The end of what an instance has written on its serial console.", get_console_output},
};

// EC2 has them, and clients that fall back when they are refused should be told so.
constexpr std::string_view kUnsupported[] = {
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "DescribeLaunchTemplates",
    "DescribeLaunchTemplateVersions",
    "ModifyLaunchTemplate",
    "GetLaunchTemplateData",
    "ModifyInstanceMetadataOptions",
    "ModifyInstanceCreditSpecification",
    "ModifyInstanceMaintenanceOptions",
    "MonitorInstances",
    "UnmonitorInstances",
    "GetPasswordData",
    "DescribeIamInstanceProfileAssociations",
    "GetConsoleScreenshot",
};

}  // namespace

constexpr ActionGroup kInstanceActions = {"Instances", kActions, kUnsupported};

}  // namespace pileus::ec2
