// Images, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/image.h"

namespace pileus::ec2 {

struct Image {
  model::ImageDesired desired;
  model::ImageObserved observed;
  state::Revision revision = 0;  // of the desired record
  bool of_library() const { return desired.disks.empty(); }
};
// Those that the account may see.
Reply<std::vector<Image>> visible_images(const Call& call);
// InvalidAMIID.Malformed, InvalidAMIID.NotFound.
Reply<Image> find_image(const Call& call, const std::string& text);
// InvalidAMIID.Unavailable too: it is pending or failed.
Reply<Image> launchable_image(const Call& call, const std::string& text);
// InvalidAMIID.Unavailable for one that no host has or could get.
Reply<> check_some_host_has(const Call& call, const Image& image);
// To be changed. AuthFailure for another's.
Reply<Image> own_image(const Call& call, const std::string& text);

// Gives the image the name, in this transaction. InvalidAMIName.Malformed, InvalidAMIName.Duplicate.
Reply<> claim_image_name(const Call& call, control::Change& change, const std::string& name, model::ImageId id);
// The image is going.
Reply<> release_image_name(const Call& call, control::Change& change, const model::ImageDesired& image);

}  // namespace pileus::ec2
