#include "ec2/groups.h"
#include "ec2/images/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeImages", Kind::kReads, "ImageId.N:s Owner.N:s ExecutableBy.N:s " PILEUS_FILTERS,
           "Tells of the images that the account may launch.", describe_images},
};

// EC2 has them, and clients that fall back when they are refused should be told so.
constexpr std::string_view kUnsupported[] = {
    "RegisterImage",       "DeregisterImage",          "CreateImage",
    "CopyImage",           "DescribeImageAttribute",   "ModifyImageAttribute",
    "ResetImageAttribute", "EnableImageDeprecation",   "ImportImage",
    "ExportImage",         "DescribeImportImageTasks", "DescribeExportImageTasks",
};

}  // namespace

constexpr ActionGroup kImageActions = {"Images", kActions, kUnsupported};

}  // namespace pileus::ec2
