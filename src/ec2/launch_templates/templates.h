// Launch templates as this group works with them.
#pragma once

#include <pugixml.hpp>

#include "ec2/call.h"
#include "model/launch_template.h"

namespace pileus::ec2 {

using Template = control::Stored<model::LaunchTemplate>;

// By LaunchTemplateId or LaunchTemplateName of `named`.
Reply<Template> find_template(const Call& call, const Parameters& named);
std::string template_name_key(const Call& call, const std::string& name);
void write_template(pugi::xml_node node, const model::LaunchTemplate& of);

// versions.cc: "3", "$Latest", "$Default", or none, which is the default. InvalidLaunchTemplateId.VersionNotFound.
Reply<model::LaunchTemplateVersion> find_version(const Call& call, const model::LaunchTemplate& of,
                                                 const std::string& text);
// One as the request describes it.
Reply<model::LaunchTemplateVersion> new_version(const Call& call, u64 number);
Parameters parameters_of(const model::LaunchTemplateVersion& version);

}  // namespace pileus::ec2
