#include "ec2/groups.h"
#include "ec2/volumes/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateVolume", Kind::kChanges,
           "AvailabilityZone:s! Size:i SnapshotId:s VolumeType:s Iops:i Throughput:i Encrypted:b KmsKeyId:s "
           "MultiAttachEnabled:b OutpostArn:s ClientToken:s " PILEUS_TAGS,
           "Makes a volume, empty or of a snapshot.", create_volume},
    Action{"DeleteVolume", Kind::kChanges, "VolumeId:s!", "Deletes a volume that no instance has.", delete_volume},
    Action{"AttachVolume", Kind::kChanges, "VolumeId:s! InstanceId:s! Device:s!",
           "Attaches a volume to an instance that runs or is stopped.", attach_volume},
    Action{"DetachVolume", Kind::kChanges, "VolumeId:s! InstanceId:s Device:s Force:b",
           "Detaches a volume from its instance.", detach_volume},
    Action{"DescribeVolumes", Kind::kReads, "VolumeId.N:s " PILEUS_PAGES, "Tells of volumes.", describe_volumes},
    Action{"DescribeVolumeStatus", Kind::kReads, "VolumeId.N:s " PILEUS_PAGES, "Tells whether volumes are well.",
           describe_volume_status},
    Action{"DescribeVolumeAttribute", Kind::kReads, "VolumeId:s! Attribute:s!", "Tells one attribute of a volume.",
           describe_volume_attribute},
    Action{"ModifyVolume", Kind::kChanges, "VolumeId:s! Size:i VolumeType:s Iops:i Throughput:i MultiAttachEnabled:b",
           "Makes a volume larger, also while its instance runs, or of another type.", modify_volume},
    Action{"DescribeVolumesModifications", Kind::kReads, "VolumeId.N:s " PILEUS_PAGES,
           "Tells how far the last modification of each volume is.", describe_volumes_modifications},
    Action{"GetEbsEncryptionByDefault", Kind::kReads, "", "Tells that volumes are not encrypted.",
           get_ebs_encryption_by_default},
    Action{"EnableEbsEncryptionByDefault", Kind::kChanges, "", "Is refused: volumes are not encrypted.",
           enable_ebs_encryption_by_default},
    Action{"DisableEbsEncryptionByDefault", Kind::kChanges, "", "Leaves volumes as they are, not encrypted.",
           disable_ebs_encryption_by_default},
};

}  // namespace

constexpr ActionGroup kVolumeActions = {"Volumes", kActions};

}  // namespace pileus::ec2
