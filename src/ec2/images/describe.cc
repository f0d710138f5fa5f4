// What is shown of images.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/images/handlers.h"
#include "ec2/images/write.h"

namespace pileus::ec2 {
namespace {

// As clients name the owner of the images that are there for everybody.
constexpr const char* kCloudsOwn = "amazon";

const model::Tags& tags_of(const Image& image) { return image.desired.tags; }

// Of each of its disks.
template <typename Of>
Texts of_disks(const Image& image, Of of) {
  Texts texts;
  for (const model::ImageDisk& disk : disks_of(image)) texts.push_back(of(disk));
  return texts;
}

constexpr Filter<Image> kFilters[] = {
    {"image-id", [](const Image& image) { return Texts{image.desired.id.text()}; }},
    {"name", [](const Image& image) { return Texts{image.desired.name}; }},
    {"description", [](const Image& image) { return Texts{image.desired.description}; }},
    {"state", [](const Image& image) { return Texts{std::string(model::name(image.observed.state))}; }},
    {"state-reason-message", [](const Image& image) { return Texts{image.observed.reason}; }},
    {"owner-id", [](const Image& image) { return Texts{image.desired.owner.text()}; }},
    {"owner-alias", [](const Image& image) { return image.of_library() ? Texts{kCloudsOwn} : Texts{}; }},
    {"is-public", [](const Image& image) { return flag(image.desired.is_public); }},
    {"architecture", [](const Image& image) { return Texts{image.desired.architecture}; }},
    {"creation-date", [](const Image& image) { return Texts{format_time(image.desired.created_at)}; }},
    {"root-device-type", [](const Image&) { return Texts{"ebs"}; }},
    {"root-device-name", [](const Image& image) { return Texts{image.desired.root_device}; }},
    {"block-device-mapping.device-name",
     [](const Image& image) { return of_disks(image, [](const model::ImageDisk& disk) { return disk.device; }); }},
    {"block-device-mapping.snapshot-id",
     [](const Image& image) {
       return of_disks(image, [](const model::ImageDisk& disk) { return disk.snapshot.text(); });
     }},
    {"block-device-mapping.volume-size",
     [](const Image& image) {
       return of_disks(image, [](const model::ImageDisk& disk) { return std::to_string(disk.size_gib); });
     }},
    {"block-device-mapping.volume-type",
     [](const Image& image) { return of_disks(image, [](const model::ImageDisk& disk) { return disk.type; }); }},
    {"block-device-mapping.delete-on-termination",
     [](const Image& image) {
       return of_disks(image, [](const model::ImageDisk& disk) { return flag(disk.delete_on_termination)[0]; });
     }},
    {"virtualization-type", [](const Image&) { return Texts{"hvm"}; }},
    {"hypervisor", [](const Image&) { return Texts{"pileus"}; }},
    {"image-type", [](const Image&) { return Texts{"machine"}; }},
    {"platform", [](const Image&) { return Texts{}; }},
};

void write_image(pugi::xml_node item, const Image& image) {
  const model::ImageDesired& desired = image.desired;
  add(item, "imageId", desired.id.text());
  add(item, "imageLocation", desired.owner.text() + "/" + desired.name);
  add(item, "imageState", model::name(image.observed.state));
  add(item, "imageOwnerId", desired.owner.text());
  if (image.of_library()) add(item, "imageOwnerAlias", kCloudsOwn);
  add_time(item, "creationDate", desired.created_at);
  add_flag(item, "isPublic", desired.is_public);
  add(item, "architecture", desired.architecture);
  add(item, "imageType", "machine");
  add(item, "name", desired.name);
  add(item, "description", desired.description);
  add(item, "rootDeviceType", "ebs");
  add(item, "rootDeviceName", desired.root_device);
  write_image_disks(add(item, "blockDeviceMapping"), image);
  add(item, "virtualizationType", "hvm");
  add(item, "hypervisor", "pileus");
  add(item, "platformDetails", "Linux/UNIX");
  add(item, "usageOperation", "RunInstances");
  add_flag(item, "enaSupport", false);
  if (desired.deprecate_at != 0) add_time(item, "deprecationTime", desired.deprecate_at);
  if (!image.observed.reason.empty()) {
    pugi::xml_node reason = add(item, "stateReason");
    add(reason, "code", "Server.InternalError");
    add(reason, "message", image.observed.reason);
  }
  add_tags(item, desired.tags);
}

// "self", an account's number, the alias of the cloud itself; "aws-marketplace" and the like own nothing here.
bool is_owned_by(const Image& image, const std::vector<std::string>& owners, const Call& call) {
  return owners.empty() || std::ranges::any_of(owners, [&](const std::string& owner) {
           if (owner == "self") return image.desired.owner == call.account.id;
           return owner == kCloudsOwn ? image.of_library() : owner == image.desired.owner.text();
         });
}

// "self", "all", an account's number: who was given leave to launch it.
bool is_executable_by(const Image& image, const std::vector<std::string>& who, const Call& call) {
  return who.empty() || std::ranges::any_of(who, [&](const std::string& each) {
           if (each == "all") return image.desired.is_public;
           const std::string account = each == "self" ? call.account.id.text() : each;
           const auto& given = image.desired.launch_accounts;
           return std::ranges::find(given, account) != given.end();
         });
}

// Others do not see an image after that time, unless they ask for it by its id.
bool is_deprecated(const Image& image, const Call& call) {
  const bool over = image.desired.deprecate_at != 0 && image.desired.deprecate_at <= call.clock.now();
  return over && image.desired.owner != call.account.id;
}

// An hour ago at most, by the same account.
Reply<bool> was_deregistered(const Call& call, model::ImageId id) {
  const std::optional<state::KeyValue> was = TRY(call.store.get(model::deregistered_image_key(id)));
  return was && was->value == call.account.id.text();
}

}  // namespace

std::vector<model::ImageDisk> disks_of(const Image& image) {
  if (!image.of_library()) return image.desired.disks;
  model::ImageDisk root;
  root.device = image.desired.root_device;
  root.size_gib = image.observed.size_gib;
  return {root};
}

void write_image_disks(pugi::xml_node set, const Image& image) {
  for (const model::ImageDisk& disk : disks_of(image)) {
    pugi::xml_node device = add_item(set);
    add(device, "deviceName", disk.device);
    pugi::xml_node ebs = add(device, "ebs");
    add_if(ebs, "snapshotId", disk.snapshot.text());
    add_number(ebs, "volumeSize", static_cast<i64>(disk.size_gib));
    add_flag(ebs, "deleteOnTermination", disk.delete_on_termination);
    add(ebs, "volumeType", disk.type);
    add_flag(ebs, "encrypted", false);
  }
}

Reply<> describe_images(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Image>::read(call.parameters, kFilters, tags_of));
  const std::vector<Image> images = TRY(visible_images(call));
  const std::vector<std::string> ids = call.parameters.list("ImageId");
  for (const std::string& text : ids) {
    const model::ImageId id = TRY(parse_id<model::ImageId>(text, "AMIID"));
    const bool known = std::ranges::any_of(images, [&](const Image& image) { return image.desired.id == id; });
    if (!known && !TRY(was_deregistered(call, id))) {
      return ApiError("InvalidAMIID.NotFound", "The image id '[" + text + "]' does not exist");
    }
  }
  const bool deprecated = TRY(call.parameters.boolean("IncludeDeprecated", false));
  const std::vector<std::string> owners = call.parameters.list("Owner");
  const std::vector<std::string> executors = call.parameters.list("ExecutableBy");
  pugi::xml_node set = add(answer, "imagesSet");
  for (const Image& image : images) {
    const bool named = std::ranges::find(ids, image.desired.id.text()) != ids.end();
    if (!ids.empty() && !named) continue;
    if (!named && !deprecated && is_deprecated(image, call)) continue;
    if (!is_owned_by(image, owners, call) || !is_executable_by(image, executors, call)) continue;
    if (filters.pass(image)) write_image(add_item(set), image);
  }
  return {};
}

}  // namespace pileus::ec2
