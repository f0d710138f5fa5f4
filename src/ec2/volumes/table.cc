#include "ec2/groups.h"
#include "ec2/volumes/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeVolumes", Kind::kReads, "VolumeId.N:s " PILEUS_PAGES,
           "Tells of volumes: the root disks of instances.", describe_volumes},
};

// EC2 has them, and clients that fall back when they are refused should be told so.
constexpr std::string_view kUnsupported[] = {
    "CreateVolume",
    "DeleteVolume",
    "AttachVolume",
    "DetachVolume",
    "ModifyVolume",
    "DescribeVolumesModifications",
    "DescribeVolumeStatus",
    "DescribeVolumeAttribute",
    "ImportSnapshot",
    "DescribeImportSnapshotTasks",
    "CreateSnapshot",
    "CreateSnapshots",
    "CopySnapshot",
    "DeleteSnapshot",
    "DescribeSnapshots",
    "DescribeSnapshotAttribute",
    "ModifySnapshotAttribute",
};

}  // namespace

constexpr ActionGroup kVolumeActions = {"Volumes", kActions, kUnsupported};

}  // namespace pileus::ec2
