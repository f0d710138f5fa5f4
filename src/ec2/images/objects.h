// Images, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/image.h"

namespace pileus::ec2 {

struct Image {
  model::ImageDesired desired;
  model::ImageObserved observed;
};
// Those that the account may see.
Reply<std::vector<Image>> visible_images(const Call& call);
// InvalidAMIID.Malformed, InvalidAMIID.NotFound, InvalidAMIID.Unavailable.
Reply<Image> launchable_image(const Call& call, const std::string& text);

}  // namespace pileus::ec2
