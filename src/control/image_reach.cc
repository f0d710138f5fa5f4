#include "control/image_reach.h"

#include "control/layer_reach.h"
#include "http/certificates.h"

namespace pileus::control {

model::ImageId library_image_id(const std::string& name) {
  const std::string digest = http::sha256_hex("pileus image " + name);
  return model::ImageId(std::stoull(digest.substr(0, 16), nullptr, 16) | 1U);
}

placement::ImageReach image_reach(const View& view, model::ImageId image) {
  const LibraryImage* found = view.disks().find(image);
  if (found == nullptr || found->name.empty()) return placement::ImageReach::kUnknown;
  if (found->layer.empty()) return placement::ImageReach::kLocal;
  return is_shared(view, found->layer) ? placement::ImageReach::kShared : placement::ImageReach::kLocal;
}

bool is_nowhere(const View& view, model::ImageId image) {
  return image_reach(view, image) == placement::ImageReach::kLocal && view.inventory().has_hosts() &&
         !view.inventory().is_somewhere(image);
}

}  // namespace pileus::control
