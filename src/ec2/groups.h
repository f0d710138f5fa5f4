// The groups of actions: each is a folder beside this file, with its table in table.cc.
#pragma once

#include "ec2/actions.h"

// What many actions take.
#define PILEUS_FILTERS "Filter.N.Name:s Filter.N.Value.N:s"
#define PILEUS_PAGES PILEUS_FILTERS " MaxResults:i NextToken:s"
#define PILEUS_TAGS "TagSpecification.N.ResourceType:s TagSpecification.N.Tag.N.Key:s TagSpecification.N.Tag.N.Value:s"
#define PILEUS_BLOCK_DEVICES                                                                                 \
  "BlockDeviceMapping.N.DeviceName:s BlockDeviceMapping.N.NoDevice:s BlockDeviceMapping.N.Ebs.SnapshotId:s " \
  "BlockDeviceMapping.N.Ebs.VolumeSize:i BlockDeviceMapping.N.Ebs.VolumeType:s "                             \
  "BlockDeviceMapping.N.Ebs.Iops:i BlockDeviceMapping.N.Ebs.Throughput:i "                                   \
  "BlockDeviceMapping.N.Ebs.DeleteOnTermination:b BlockDeviceMapping.N.Ebs.Encrypted:b"

namespace pileus::ec2 {

extern const ActionGroup kInstanceActions;
extern const ActionGroup kInstanceTypeActions;
extern const ActionGroup kImageActions;
extern const ActionGroup kKeyPairActions;
extern const ActionGroup kSecurityGroupActions;
extern const ActionGroup kNetworkActions;
extern const ActionGroup kRouteActions;
extern const ActionGroup kInterfaceActions;
extern const ActionGroup kAddressActions;
extern const ActionGroup kLaunchTemplateActions;
extern const ActionGroup kPlacementGroupActions;
extern const ActionGroup kVolumeActions;
extern const ActionGroup kSnapshotActions;
extern const ActionGroup kTransferActions;
extern const ActionGroup kTagActions;
extern const ActionGroup kPlaceActions;
extern const ActionGroup kAccountActions;
extern const ActionGroup kOwnActions;
extern const ActionGroup kLiveActions;

}  // namespace pileus::ec2
