#include "ec2/groups.h"
#include "ec2/launch_templates/handlers.h"

namespace pileus::ec2 {
namespace {

#define PILEUS_TEMPLATE "LaunchTemplateId:s LaunchTemplateName:s"
// The parameters of RunInstances below LaunchTemplateData are checked as its own.
#define PILEUS_DATA                                                                                    \
  "VersionDescription:s ClientToken:s LaunchTemplateData.ImageId:s LaunchTemplateData.InstanceType:s " \
  "LaunchTemplateData.KeyName:s LaunchTemplateData.UserData:d LaunchTemplateData.SecurityGroupId.N:s"

constexpr Action kActions[] = {
    Action{"CreateLaunchTemplate", Kind::kChanges, "LaunchTemplateName:s! " PILEUS_DATA " " PILEUS_TAGS,
           "Makes a launch template. LaunchTemplateData takes all parameters of RunInstances.", create_launch_template},
    Action{"DeleteLaunchTemplate", Kind::kChanges, PILEUS_TEMPLATE, "Deletes a launch template with all its versions.",
           delete_launch_template},
    Action{"ModifyLaunchTemplate", Kind::kChanges, PILEUS_TEMPLATE " SetDefaultVersion:s",
           "Makes another version of a launch template its default.", modify_launch_template},
    Action{"DescribeLaunchTemplates", Kind::kReads, "LaunchTemplateId.N:s LaunchTemplateName.N:s " PILEUS_PAGES,
           "Tells of launch templates.", describe_launch_templates},
    Action{"CreateLaunchTemplateVersion", Kind::kChanges, PILEUS_TEMPLATE " SourceVersion:s " PILEUS_DATA,
           "Adds a version to a launch template.", create_launch_template_version},
    Action{"DeleteLaunchTemplateVersions", Kind::kChanges, PILEUS_TEMPLATE " LaunchTemplateVersion.N:s!",
           "Deletes versions of a launch template.", delete_launch_template_versions},
    Action{"DescribeLaunchTemplateVersions", Kind::kReads,
           PILEUS_TEMPLATE " LaunchTemplateVersion.N:s MinVersion:s MaxVersion:s " PILEUS_PAGES,
           "Tells of the versions of launch templates.", describe_launch_template_versions},
    Action{"GetLaunchTemplateData", Kind::kReads, "InstanceId:s!",
           "Tells what a launch template would say to launch more like an instance.", get_launch_template_data},
};
#undef PILEUS_TEMPLATE
#undef PILEUS_DATA

}  // namespace

constexpr ActionGroup kLaunchTemplateActions = {"Launch templates", kActions};

}  // namespace pileus::ec2
