// Names of images: an account has each once.
#include <algorithm>

#include "ec2/images/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kShortestName = 3;
constexpr std::size_t kLongestName = 128;

ApiError duplicate(const std::string& name, const std::string& id) {
  return {"InvalidAMIName.Duplicate", "AMI name " + name + " is already in use by AMI " + id};
}

}  // namespace

Reply<> claim_image_name(const Call& call, control::Change& change, const std::string& name, model::ImageId id) {
  constexpr std::string_view kMarks = " ()[]./-'@_";
  const auto is_fine = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  };
  if (name.size() < kShortestName || name.size() > kLongestName || !std::ranges::all_of(name, is_fine)) {
    return ApiError("InvalidAMIName.Malformed",
                    "An image's name has 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _");
  }
  const std::string key = model::image_name_key(call.account.id, name);
  const std::optional<state::KeyValue> claim = TRY(call.store.get(key));
  if (claim) return duplicate(name, claim->value);
  // Those of the library have no claims, nor have those from before there were any.
  for (const Image& image : TRY(visible_images(call))) {
    if (image.desired.owner == call.account.id && image.desired.name == name) {
      return duplicate(name, image.desired.id.text());
    }
  }
  change.expect(state::Compare::absent(key));
  change.put(key, id.text());
  return {};
}

Reply<> release_image_name(const Call& call, control::Change& change, const model::ImageDesired& image) {
  const std::string key = model::image_name_key(image.owner, image.name);
  const std::optional<state::KeyValue> claim = TRY(call.store.get(key));
  if (!claim || claim->value != image.id.text()) return {};
  change.expect(key, claim->mod_revision);
  change.erase(state::KeyRange::key(key));
  return {};
}

}  // namespace pileus::ec2
