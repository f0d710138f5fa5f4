#include "new_images.h"

#include "control/image_reach.h"

namespace pileus::cloudd {
namespace {

constexpr std::chrono::seconds kPatience{30};

}  // namespace

bool NewImages::is_ready(model::ImageId image) {
  bool nowhere = false;
  view_->look(
      [&](control::View& view) { nowhere = view.inventory().has_hosts() && !view.inventory().is_somewhere(image); });
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (!nowhere || now - seen_.try_emplace(image, now).first->second >= kPatience) {
    seen_.erase(image);
    return true;
  }
  return false;
}

}  // namespace pileus::cloudd
