#include "control/image_reach.h"

#include <algorithm>

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
  // Mostly the first few hosts have it already.
  const bool shared = std::ranges::any_of(view.hosts(), [&](const auto& each) {
    const HostView& host = each.second;
    const model::HostLayers& layers = host.layers.value;
    return host.alive != 0 && !layers.address.empty() && std::ranges::binary_search(layers.layers, found->layer);
  });
  return shared ? placement::ImageReach::kShared : placement::ImageReach::kLocal;
}

bool is_nowhere(const View& view, model::ImageId image) {
  return image_reach(view, image) == placement::ImageReach::kLocal && view.inventory().has_hosts() &&
         !view.inventory().is_somewhere(image);
}

}  // namespace pileus::control
