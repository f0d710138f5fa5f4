#include "ec2/groups.h"
#include "ec2/images/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateImage", Kind::kChanges,
           "InstanceId:s! Name:s! Description:s NoReboot:b " PILEUS_BLOCK_DEVICES " " PILEUS_TAGS,
           "Makes an image of an instance, which is rebooted for it unless NoReboot says otherwise.", create_image},
    Action{"RegisterImage", Kind::kChanges,
           "Name:s! Description:s Architecture:s RootDeviceName:s ImageLocation:s VirtualizationType:s "
           "EnaSupport:b " PILEUS_BLOCK_DEVICES " " PILEUS_TAGS,
           "Makes an image of snapshots.", register_image},
    Action{"DeregisterImage", Kind::kChanges, "ImageId:s!", "Takes an image away; its snapshots stay.",
           deregister_image},
    Action{"CopyImage", Kind::kChanges,
           "Name:s! SourceImageId:s! SourceRegion:s! Description:s Encrypted:b KmsKeyId:s CopyImageTags:b "
           "ClientToken:s",
           "Makes another image of the same snapshots.", copy_image},
    Action{"DescribeImages", Kind::kReads, "ImageId.N:s Owner.N:s ExecutableBy.N:s IncludeDeprecated:b " PILEUS_FILTERS,
           "Tells of the images that the account may launch.", describe_images},
    Action{"DescribeImageAttribute", Kind::kReads, "ImageId:s! Attribute:s!", "Tells one attribute of an image.",
           describe_image_attribute},
    Action{"ModifyImageAttribute", Kind::kChanges,
           "ImageId:s! Attribute:s Value:s OperationType:s UserId.N:s UserGroup.N:s Description.Value:s "
           "LaunchPermission.Add.N.UserId:s LaunchPermission.Add.N.Group:s LaunchPermission.Remove.N.UserId:s "
           "LaunchPermission.Remove.N.Group:s",
           "Changes who may launch an image, or its description.", modify_image_attribute},
    Action{"ResetImageAttribute", Kind::kChanges, "ImageId:s! Attribute:s!", "Lets only the owner launch an image.",
           reset_image_attribute},
    Action{"EnableImageDeprecation", Kind::kChanges, "ImageId:s! DeprecateAt:s!",
           "Says when an image is out of date: others do not find it in lists any more from then on.",
           enable_image_deprecation},
    Action{"DisableImageDeprecation", Kind::kChanges, "ImageId:s!", "Takes that back.", disable_image_deprecation},
};

}  // namespace

constexpr ActionGroup kImageActions = {"Images", kActions};

}  // namespace pileus::ec2
