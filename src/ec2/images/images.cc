// Images: those of the cloud's library, and those that accounts own or were given.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/images/handlers.h"
#include "ec2/images/objects.h"

namespace pileus::ec2 {
namespace {

const model::Tags& tags_of(const Image& image) { return image.desired.tags; }

constexpr Filter<Image> kFilters[] = {
    {"image-id", [](const Image& image) { return Texts{image.desired.id.text()}; }},
    {"name", [](const Image& image) { return Texts{image.desired.name}; }},
    {"description", [](const Image& image) { return Texts{image.desired.description}; }},
    {"state", [](const Image& image) { return Texts{std::string(model::name(image.observed.state))}; }},
    {"owner-id", [](const Image& image) { return Texts{image.desired.owner.text()}; }},
    {"owner-alias", [](const Image&) { return Texts{}; }},
    {"is-public", [](const Image& image) { return flag(image.desired.is_public); }},
    {"architecture", [](const Image& image) { return Texts{image.desired.architecture}; }},
    {"root-device-type", [](const Image&) { return Texts{"ebs"}; }},
    {"root-device-name", [](const Image& image) { return Texts{image.desired.root_device}; }},
    {"virtualization-type", [](const Image&) { return Texts{"hvm"}; }},
    {"hypervisor", [](const Image&) { return Texts{"pileus"}; }},
    {"image-type", [](const Image&) { return Texts{"machine"}; }},
    {"platform", [](const Image&) { return Texts{}; }},
};

bool is_visible(const Image& image, const model::AccountId& account) {
  return image.desired.owner == account || image.desired.is_public ||
         std::ranges::find(image.desired.launch_accounts, account.text()) != image.desired.launch_accounts.end();
}

void write_image(pugi::xml_node set, const Image& image) {
  pugi::xml_node item = add_item(set);
  const model::ImageDesired& desired = image.desired;
  add(item, "imageId", desired.id.text());
  add(item, "imageLocation", desired.owner.text() + "/" + desired.name);
  add(item, "imageState", model::name(image.observed.state));
  add(item, "imageOwnerId", desired.owner.text());
  add_time(item, "creationDate", desired.created_at);
  add_flag(item, "isPublic", desired.is_public);
  add(item, "architecture", desired.architecture);
  add(item, "imageType", "machine");
  add(item, "name", desired.name);
  add(item, "description", desired.description);
  add(item, "rootDeviceType", "ebs");
  add(item, "rootDeviceName", desired.root_device);
  pugi::xml_node device = add_item(add(item, "blockDeviceMapping"));
  add(device, "deviceName", desired.root_device);
  pugi::xml_node ebs = add(device, "ebs");
  add_if(ebs, "snapshotId", desired.snapshot.text());
  add_number(ebs, "volumeSize", static_cast<i64>(image.observed.size_gib));
  add_flag(ebs, "deleteOnTermination", true);
  add(ebs, "volumeType", "gp3");
  add_flag(ebs, "encrypted", false);
  add(item, "virtualizationType", "hvm");
  add(item, "hypervisor", "pileus");
  add(item, "platformDetails", "Linux/UNIX");
  add_flag(item, "enaSupport", false);
  if (!image.observed.reason.empty()) add(add(item, "stateReason"), "message", image.observed.reason);
  add_tags(item, desired.tags);
}

// "self", an account's number; "amazon" and the like own nothing here.
bool is_owned_by(const Image& image, const std::vector<std::string>& owners, const Call& call) {
  return owners.empty() || std::ranges::any_of(owners, [&](const std::string& owner) {
           return owner == "self" ? image.desired.owner == call.account.id : owner == image.desired.owner.text();
         });
}

}  // namespace

Reply<std::vector<Image>> visible_images(const Call& call) {
  const std::string prefix(model::kind_prefix(model::IdKind::kImage));
  const state::Snapshot all = TRY(call.store.get(state::Get{state::KeyRange::prefix(prefix)}));
  std::map<std::string, Image> found;
  for (const state::KeyValue& entry : all.entries) {
    const model::KeyParts parts = model::split_key(model::IdKind::kImage, entry.key);
    Image& image = found[std::string(parts.id)];
    if (parts.part == "desired") image.desired = TRY(model::decode<model::ImageDesired>(entry.value).with(entry.key));
    if (parts.part == "observed")
      image.observed = TRY(model::decode<model::ImageObserved>(entry.value).with(entry.key));
  }
  std::vector<Image> result;
  for (auto& [id, image] : found) {
    const bool gone = image.observed.state == model::ImageState::kDeregistered || !image.desired.wanted;
    if (image.desired.id && !gone && is_visible(image, call.account.id)) result.push_back(std::move(image));
  }
  return result;
}

Reply<Image> launchable_image(const Call& call, const std::string& text) {
  const model::ImageId id = TRY(parse_id<model::ImageId>(text, "AMIID"));
  for (Image& image : TRY(visible_images(call))) {
    if (image.desired.id != id) continue;
    if (image.observed.state == model::ImageState::kAvailable) return std::move(image);
    return ApiError("InvalidAMIID.Unavailable",
                    "The image id '[" + text + "]' is " + std::string(model::name(image.observed.state)));
  }
  return ApiError("InvalidAMIID.NotFound", "The image id '[" + text + "]' does not exist");
}

Reply<> describe_images(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Image>::read(call.parameters, kFilters, tags_of));
  std::vector<Image> images = TRY(visible_images(call));
  const std::vector<std::string> ids = call.parameters.list("ImageId");
  for (const std::string& text : ids) {
    const model::ImageId id = TRY(parse_id<model::ImageId>(text, "AMIID"));
    if (std::ranges::none_of(images, [&](const Image& image) { return image.desired.id == id; })) {
      return ApiError("InvalidAMIID.NotFound", "The image id '[" + text + "]' does not exist");
    }
  }
  const std::vector<std::string> owners = call.parameters.list("Owner");
  pugi::xml_node set = add(answer, "imagesSet");
  for (const Image& image : images) {
    const bool wanted = ids.empty() || std::ranges::find(ids, image.desired.id.text()) != ids.end();
    if (wanted && is_owned_by(image, owners, call) && filters.pass(image)) write_image(set, image);
  }
  return {};
}

}  // namespace pileus::ec2
