// Tags, for other groups of actions.
#pragma once

#include "ec2/call.h"

namespace pileus::ec2 {

// The tags that TagSpecification.N says for one type of resource ("instance"). InvalidParameterValue,
// TagLimitExceeded.
Reply<model::Tags> tags_for(const Parameters& parameters, std::string_view resource_type);
Reply<> check_tags(const model::Tags& tags);

}  // namespace pileus::ec2
