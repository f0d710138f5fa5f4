// Where images of the library can be launched: on hosts that have them, and on others if one gives their layers away.
#pragma once

#include "control/view.h"

namespace pileus::control {

// The id that an image of the library has in every cloud: by its name, so that a host can be heard of it before the cloud
// has published it.
model::ImageId library_image_id(const std::string& name);

placement::ImageReach image_reach(const View& view, model::ImageId image);

// Whether there are hosts, and none of them has the image or could get it.
bool is_nowhere(const View& view, model::ImageId image);

}  // namespace pileus::control
