#include "ec2/groups.h"
#include "ec2/transfers/handlers.h"

#define PILEUS_DISK_CONTAINER(NAME) \
  NAME ".Description:s " NAME ".Format:s " NAME ".Url:s " NAME ".UserBucket.S3Bucket:s " NAME ".UserBucket.S3Key:s"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"ImportImage", Kind::kChanges,
           "Name:s Architecture:s BootMode:s ClientToken:s Description:s Encrypted:b KmsKeyId:s Platform:s "
           "DiskContainer.N.DeviceName:s DiskContainer.N.SnapshotId:s " PILEUS_DISK_CONTAINER(
               "DiskContainer.N") " " PILEUS_TAGS,
           "Makes an image of files of disks: raw, VMDK, VHD or qcow2, at an http or https URL, in a bucket, or (for "
           "administrators) a host's own file, file://HOST/PATH. A bucket is a folder of the account's on a host, "
           "buckets/ACCOUNT/BUCKET in that host's folder; where there are several hosts it is named HOST:BUCKET. Name, "
           "which is not EC2's, is the image's; otherwise it has the task's id for a name.",
           import_image},
    Action{"ImportSnapshot", Kind::kChanges,
           "ClientToken:s Description:s Encrypted:b KmsKeyId:s " PILEUS_DISK_CONTAINER("DiskContainer") " " PILEUS_TAGS,
           "Makes a snapshot of a file, as ImportImage takes it.", import_snapshot},
    Action{"ExportImage", Kind::kChanges,
           "ImageId:s! DiskImageFormat:s! S3ExportLocation.S3Bucket:s! S3ExportLocation.S3Prefix:s ClientToken:s "
           "Description:s RoleName:s " PILEUS_TAGS,
           "Writes the root disk of an image into a bucket, as a file of the format VMDK, VHD or RAW.", export_image},
    Action{"DescribeImportImageTasks", Kind::kReads,
           "ImportTaskId.N:s Filters.N.Name:s Filters.N.Value.N:s MaxResults:i NextToken:s",
           "Tells how far imports of images are. One that has failed is 'deleted', with the reason in its message.",
           describe_import_image_tasks},
    Action{"DescribeImportSnapshotTasks", Kind::kReads,
           "ImportTaskId.N:s Filters.N.Name:s Filters.N.Value.N:s MaxResults:i NextToken:s",
           "Tells how far imports of snapshots are.", describe_import_snapshot_tasks},
    Action{"DescribeExportImageTasks", Kind::kReads, "ExportImageTaskId.N:s " PILEUS_PAGES,
           "Tells how far exports of images are.", describe_export_image_tasks},
    Action{"CancelImportTask", Kind::kChanges, "ImportTaskId:s! CancelReason:s",
           "Gives an import up; nothing of it is left.", cancel_import_task},
    Action{"CancelExportTask", Kind::kChanges, "ExportTaskId:s!", "Gives an export up.", cancel_export_task},
};

}  // namespace

constexpr ActionGroup kTransferActions = {"Imports and exports", kActions};

}  // namespace pileus::ec2
