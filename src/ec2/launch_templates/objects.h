// Launch templates, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/launch_template.h"

namespace pileus::ec2 {

// The parameters of a launch: what the request says, over what the launch template says that it names.
struct LaunchParameters {
  Parameters parameters;
  model::LaunchTemplateId template_id;  // none: the request names none
  u64 template_version = 0;
};
// InvalidLaunchTemplateId.NotFound, InvalidLaunchTemplateName.NotFoundException, InvalidLaunchTemplateId.VersionNotFound.
Reply<LaunchParameters> launch_parameters(const Call& call);

}  // namespace pileus::ec2
