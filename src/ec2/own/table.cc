#include "ec2/groups.h"
#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"PileusDescribeHosts", Kind::kAdministrates, "HostId.N:s",
           "Tells of the hosts of the cloud and what room they have.", pileus_describe_hosts},
    Action{"PileusSetHostMode", Kind::kAdministrates, "HostId:s! Mode:s!",
           "Makes a host active, or puts it into maintenance: then it gets no new instances.", pileus_set_host_mode},
    Action{
        "PileusModifyHost", Kind::kAdministrates,
        "HostId:s! VcpuPercent:i MemoryPercent:i DiskPercent:i ReservedMemoryMiB:i Rack:s",
        "Says how much of a host is given away, in per cent of what it has (above 100 is overcommitment), what of its "
        "memory is kept for itself, and in which rack it is. What runs there stays.",
        pileus_modify_host},
    Action{"PileusSetInstanceType", Kind::kAdministrates, "InstanceType:s! Vcpus:i MemoryMiB:i DiskGiB:i",
           "Adds a type to the table, or changes one; instances that exist keep what they have. DiskGiB is the size of "
           "the "
           "root disk unless a request says otherwise: 8 at first.",
           pileus_set_instance_type},
    Action{"PileusWithdrawInstanceType", Kind::kAdministrates, "InstanceType:s!",
           "Offers a type no more; instances of it stay. PileusSetInstanceType offers it again.",
           pileus_withdraw_instance_type},
    Action{"PileusCreateJoinToken", Kind::kAdministrates, "LifetimeSeconds:i Once:b",
           "Makes a token by which machines join the cloud as hosts, for a day unless said otherwise. It is shown this "
           "once.",
           pileus_create_join_token},
    Action{"PileusDescribeJoinTokens", Kind::kAdministrates, "",
           "Tells of join tokens and how often they were used, without their secrets; of ended ones for a week.",
           pileus_describe_join_tokens},
    Action{"PileusRevokeJoinToken", Kind::kAdministrates, "JoinTokenId:s!",
           "Lets no more hosts join by a token. Those that did stay.", pileus_revoke_join_token},
    Action{"PileusDescribeEvents", Kind::kReads, "ResourceId:s!",
           "Tells what happened to an instance, a volume, a snapshot, an image, a key pair, a security group, a subnet "
           "or a VPC, and why; to administrators, of a host or a join token too.",
           pileus_describe_events},
    Action{"PileusExplain", Kind::kReads, "InstanceId:s!", "Tells why an instance is on the host where it is.",
           pileus_explain},
    Action{"PileusCloneInstance", Kind::kChanges,
           "InstanceId:s! Count:i InstanceType:s KeyName:s SecurityGroup.N:s SecurityGroupId.N:s SubnetId:s "
           "PrivateIpAddress:s Placement.HostId:s UserData:d MetadataOptions.HttpTokens:s "
           "MetadataOptions.HttpPutResponseHopLimit:i MetadataOptions.HttpEndpoint:s "
           "MetadataOptions.InstanceMetadataTags:s BlockDeviceMapping.N.DeviceName:s BlockDeviceMapping.N.NoDevice:s "
           "BlockDeviceMapping.N.Ebs.VolumeSize:i BlockDeviceMapping.N.Ebs.DeleteOnTermination:b "
           "ClientToken:s " PILEUS_TAGS,
           "Launches an instance that is as another one, which runs or is stopped: its disks are copies at one moment, "
           "which share with the source what neither has changed since. What the request does not say is as at the "
           "source, but that its volumes end with it; addresses are new, and its user data runs again, as at any new "
           "instance. Answers as RunInstances.",
           pileus_clone_instance},
    Action{
        "PileusMigrateInstance", Kind::kChanges, "InstanceId:s! HostId:s Reboot:b Cancel:b ClientToken:s",
        "Moves an instance to another host, with its volumes and addresses: to HostId, or where placement chooses. A "
        "stopped one starts there next. This is not live migration: one that runs is shut down, moved and started "
        "again, and only if Reboot is true. Until it is there it is whole where it was, and Cancel ends the move. "
        "Administrators may move the instances of all accounts.",
        pileus_migrate_instance},
    Action{"PileusCreateAccount", Kind::kAdministrates,
           "Name:s! AccessKeyId:s SecretAccessKey:s Administrator:b MaxInstances:i MaxVcpus:i MaxVolumeGiB:i "
           "MaxSnapshots:i",
           "Makes an account with an access key.", pileus_create_account},
    Action{"PileusDescribeAccounts", Kind::kAdministrates, "", "Tells of all accounts, without their secrets.",
           pileus_describe_accounts},
    Action{"PileusModifyAccount", Kind::kAdministrates,
           "Name:s! MaxInstances:i MaxVcpus:i MaxVolumeGiB:i MaxSnapshots:i",
           "Changes how much an account may have. What it has stays.", pileus_modify_account},
    Action{"PileusCreateAccessKey", Kind::kAdministrates, "Name:s! AccessKeyId:s SecretAccessKey:s",
           "Gives an account another access key.", pileus_create_access_key},
    Action{"PileusDeleteAccessKey", Kind::kAdministrates, "Name:s! AccessKeyId:s!",
           "Takes an access key away: what is signed with it is refused from then on.", pileus_delete_access_key},
};

}  // namespace

constexpr ActionGroup kOwnActions = {"Pileus' own", kActions};

}  // namespace pileus::ec2
