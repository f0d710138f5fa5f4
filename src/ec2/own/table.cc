#include "ec2/groups.h"
#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"PileusDescribeHosts", Kind::kAdministrates, "HostId.N:s",
           "Tells of the hosts of the cloud and what room they have.", pileus_describe_hosts},
    Action{"PileusSetHostMode", Kind::kAdministrates, "HostId:s! Mode:s!",
           "Makes a host active, or puts it into maintenance: then it gets no new instances.", pileus_set_host_mode},
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
           "Tells what happened to an instance and why; to administrators, of a host or a join token too.",
           pileus_describe_events},
    Action{"PileusExplain", Kind::kReads, "InstanceId:s!", "Tells why an instance is on the host where it is.",
           pileus_explain},
    Action{"PileusCreateAccount", Kind::kAdministrates,
           "Name:s! AccessKeyId:s SecretAccessKey:s Administrator:b MaxInstances:i MaxVcpus:i MaxVolumeGiB:i "
           "MaxSnapshots:i",
           "Makes an account with an access key.", pileus_create_account},
    Action{"PileusDescribeAccounts", Kind::kAdministrates, "", "Tells of all accounts, without their secrets.",
           pileus_describe_accounts},
};

}  // namespace

constexpr ActionGroup kOwnActions = {"Pileus' own", kActions, {}};

}  // namespace pileus::ec2
