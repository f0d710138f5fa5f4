#include "ec2/groups.h"
#include "ec2/snapshots/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateSnapshot", Kind::kChanges, "VolumeId:s! Description:s " PILEUS_TAGS,
           "Makes a snapshot of a volume, also while its instance runs: as a disk is when the power fails.",
           create_snapshot},
    Action{"CreateSnapshots", Kind::kChanges,
           "InstanceSpecification.InstanceId:s! InstanceSpecification.ExcludeBootVolume:b "
           "InstanceSpecification.ExcludeDataVolumeId.N:s Description:s CopyTagsFromSource:s " PILEUS_TAGS,
           "Makes snapshots of the volumes of an instance, each for itself.", create_snapshots},
    Action{"DeleteSnapshot", Kind::kChanges, "SnapshotId:s!", "Deletes a snapshot that no image is made of.",
           delete_snapshot},
    Action{"DescribeSnapshots", Kind::kReads, "SnapshotId.N:s Owner.N:s RestorableBy.N:s " PILEUS_PAGES,
           "Tells of snapshots that the account owns or may use.", describe_snapshots},
    Action{"CopySnapshot", Kind::kChanges,
           "SourceRegion:s! SourceSnapshotId:s! Description:s Encrypted:b KmsKeyId:s " PILEUS_TAGS,
           "Makes another snapshot with the same content.", copy_snapshot},
    Action{"DescribeSnapshotAttribute", Kind::kReads, "SnapshotId:s! Attribute:s!",
           "Tells one attribute of a snapshot.", describe_snapshot_attribute},
    Action{"ModifySnapshotAttribute", Kind::kChanges,
           "SnapshotId:s! Attribute:s OperationType:s UserId.N:s UserGroup.N:s CreateVolumePermission.Add.N.UserId:s "
           "CreateVolumePermission.Add.N.Group:s CreateVolumePermission.Remove.N.UserId:s "
           "CreateVolumePermission.Remove.N.Group:s",
           "Changes who may make volumes of a snapshot.", modify_snapshot_attribute},
    Action{"ResetSnapshotAttribute", Kind::kChanges, "SnapshotId:s! Attribute:s!",
           "Lets only the owner make volumes of a snapshot.", reset_snapshot_attribute},
};

}  // namespace

constexpr ActionGroup kSnapshotActions = {"Snapshots", kActions};

}  // namespace pileus::ec2
