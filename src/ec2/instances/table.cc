#include "ec2/groups.h"
#include "ec2/instances/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{
        "RunInstances", Kind::kChanges,
        "ImageId:s InstanceType:s MinCount:i! MaxCount:i! KeyName:s SecurityGroup.N:s SecurityGroupId.N:s SubnetId:s "
        "UserData:d ClientToken:s Placement.AvailabilityZone:s Placement.GroupName:s Placement.GroupId:s "
        "Placement.PartitionNumber:i Placement.HostId:s Placement.Tenancy:s DisableApiTermination:b DisableApiStop:b "
        "InstanceInitiatedShutdownBehavior:s Monitoring.Enabled:b EbsOptimized:b MetadataOptions.HttpTokens:s "
        "MetadataOptions.HttpPutResponseHopLimit:i MetadataOptions.HttpEndpoint:s MetadataOptions.HttpProtocolIpv6:s "
        "MetadataOptions.InstanceMetadataTags:s CreditSpecification.CpuCredits:s MaintenanceOptions.AutoRecovery:s "
        "LaunchTemplate.LaunchTemplateId:s LaunchTemplate.LaunchTemplateName:s LaunchTemplate.Version:s "
        "" PILEUS_BLOCK_DEVICES " NetworkInterface.N.DeviceIndex:i "
        "NetworkInterface.N.NetworkInterfaceId:s NetworkInterface.N.SubnetId:s NetworkInterface.N.SecurityGroupId.N:s "
        "NetworkInterface.N.AssociatePublicIpAddress:b NetworkInterface.N.PrivateIpAddress:s "
        "NetworkInterface.N.DeleteOnTermination:b NetworkInterface.N.Description:s PrivateIpAddress:s " PILEUS_TAGS,
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
           "InstanceId:s! Attribute:s Value:s InstanceType.Value:s UserData.Value:d DisableApiTermination.Value:b "
           "DisableApiStop.Value:b InstanceInitiatedShutdownBehavior.Value:s SourceDestCheck.Value:b GroupId.N:s "
           "BlockDeviceMapping.N.DeviceName:s BlockDeviceMapping.N.Ebs.DeleteOnTermination:b EbsOptimized.Value:b "
           "EnaSupport.Value:b Kernel.Value:s Ramdisk.Value:s SriovNetSupport.Value:s",
           "Changes one attribute of an instance.", modify_instance_attribute},
    Action{"ResetInstanceAttribute", Kind::kChanges, "InstanceId:s! Attribute:s!",
           "Makes one attribute of an instance what it is at first.", reset_instance_attribute},
    Action{"ModifyInstanceMetadataOptions", Kind::kChanges,
           "InstanceId:s! HttpTokens:s HttpPutResponseHopLimit:i HttpEndpoint:s HttpProtocolIpv6:s "
           "InstanceMetadataTags:s",
           "Changes how an instance may ask for its metadata.", modify_instance_metadata_options},
    Action{"ModifyInstanceMaintenanceOptions", Kind::kChanges, "InstanceId:s! AutoRecovery:s",
           "Remembers whether an instance is to recover by itself.", modify_instance_maintenance_options},
    Action{"ModifyInstanceCreditSpecification", Kind::kChanges,
           "InstanceCreditSpecification.N.InstanceId:s InstanceCreditSpecification.N.CpuCredits:s ClientToken:s",
           "Remembers the credits of instances, which there are none of.", modify_instance_credit_specification},
    Action{"MonitorInstances", Kind::kChanges, "InstanceId.N:s",
           "Remembers that instances are to be monitored in detail.", monitor_instances},
    Action{"UnmonitorInstances", Kind::kChanges, "InstanceId.N:s", "The opposite.", unmonitor_instances},
    Action{"GetPasswordData", Kind::kReads, "InstanceId:s!", "Tells that an instance has not told a Windows password.",
           get_password_data},
    Action{"DescribeIamInstanceProfileAssociations", Kind::kReads, "AssociationId.N:s " PILEUS_PAGES,
           "Tells that there are no instance profiles.", describe_iam_instance_profile_associations},
    Action{"DescribeInstanceCreditSpecifications", Kind::kReads, "InstanceId.N:s " PILEUS_PAGES,
           "Tells what was said of the credits of instances: they use their processors without.",
           describe_instance_credit_specifications},
    Action{"GetConsoleOutput", Kind::kReads, "InstanceId:s! Latest:b",
           "The end of what an instance has written on its serial console.", get_console_output},
};

}  // namespace

constexpr ActionGroup kInstanceActions = {"Instances", kActions};

}  // namespace pileus::ec2
