// Images: those of the cloud's library, and those that accounts own or were given.
#include <algorithm>

#include "control/image_reach.h"
#include "ec2/images/objects.h"

namespace pileus::ec2 {
namespace {

bool is_visible(const Image& image, const model::AccountId& account) {
  return image.desired.owner == account || image.desired.is_public ||
         std::ranges::find(image.desired.launch_accounts, account.text()) != image.desired.launch_accounts.end();
}

}  // namespace

Reply<std::vector<Image>> visible_images(const Call& call) {
  const std::string prefix(model::kind_prefix(model::IdKind::kImage));
  const state::Snapshot all = TRY(call.store.get(state::Get{state::KeyRange::prefix(prefix)}));
  std::map<std::string, Image> found;
  for (const state::KeyValue& entry : all.entries) {
    const model::KeyParts parts = model::split_key(model::IdKind::kImage, entry.key);
    if (parts.part != "desired" && parts.part != "observed") continue;
    Image& image = found[std::string(parts.id)];
    if (parts.part == "observed") {
      image.observed = TRY(model::decode<model::ImageObserved>(entry.value).with(entry.key));
      continue;
    }
    image.desired = TRY(model::decode<model::ImageDesired>(entry.value).with(entry.key));
    image.revision = entry.mod_revision;
  }
  std::vector<Image> result;
  for (auto& [id, image] : found) {
    const bool gone = image.observed.state == model::ImageState::kDeregistered || !image.desired.wanted;
    if (image.desired.id && !gone && is_visible(image, call.account.id)) result.push_back(std::move(image));
  }
  return result;
}

Reply<Image> find_image(const Call& call, const std::string& text) {
  const model::ImageId id = TRY(parse_id<model::ImageId>(text, "AMIID"));
  for (Image& image : TRY(visible_images(call))) {
    if (image.desired.id == id) return std::move(image);
  }
  return ApiError("InvalidAMIID.NotFound", "The image id '[" + text + "]' does not exist");
}

Reply<Image> launchable_image(const Call& call, const std::string& text) {
  Image image = TRY(find_image(call, text));
  if (image.observed.state == model::ImageState::kAvailable) return image;
  return ApiError("InvalidAMIID.Unavailable",
                  "The image id '[" + text + "]' is " + std::string(model::name(image.observed.state)));
}

Reply<> check_some_host_has(const Call& call, const Image& image) {
  bool nowhere = false;
  TRY(call.catalogue.read([&](const control::View& view) { nowhere = control::is_nowhere(view, image.desired.id); }));
  if (!nowhere) return {};
  return ApiError("InvalidAMIID.Unavailable",
                  "The image id '[" + image.desired.id.text() + "]' is not available: no host " + "has the image '" +
                      image.desired.name + "'; build it on a host, or copy it into the host's library");
}

Reply<Image> own_image(const Call& call, const std::string& text) {
  Image image = TRY(find_image(call, text));
  if (image.desired.owner == call.account.id) return image;
  return ApiError("AuthFailure", "Not authorized for image:" + text + ": it is another account's", 403);
}

}  // namespace pileus::ec2
