// What is shown of volumes.
#include "ec2/filters.h"
#include "ec2/pages.h"
#include "ec2/volumes/handlers.h"
#include "ec2/volumes/write.h"

namespace pileus::ec2 {
namespace {

using Entry = VolumeEntry;

// Of its attachment, if it has one.
template <typename Of>
Texts of_attachment(const Entry& entry, Of of) {
  return entry.is_detached() ? Texts{} : of(entry);
}

// Those that clones begin as are nobody's to see.
std::string shown_snapshot(const model::VolumeDesired& volume) {
  return volume.copying ? std::string() : volume.snapshot.text();
}

constexpr Filter<Entry> kFilters[] = {
    {"volume-id", [](const Entry& entry) { return Texts{entry.desired().id.text()}; }},
    {"attachment.instance-id",
     [](const Entry& entry) {
       return of_attachment(entry, [](const Entry& each) { return Texts{each.instance.text()}; });
     }},
    {"attachment.device",
     [](const Entry& entry) {
       return of_attachment(entry, [](const Entry& each) { return Texts{each.wish.device}; });
     }},
    {"attachment.status",
     [](const Entry& entry) {
       return of_attachment(entry, [](const Entry& each) { return Texts{std::string(model::name(each.attachment))}; });
     }},
    {"attachment.attach-time",
     [](const Entry& entry) {
       return of_attachment(entry, [](const Entry& each) { return Texts{format_time(each.wish.attached_at)}; });
     }},
    {"attachment.delete-on-termination",
     [](const Entry& entry) {
       return of_attachment(entry, [](const Entry& each) { return flag(each.wish.delete_on_termination); });
     }},
    {"status", [](const Entry& entry) { return Texts{std::string(shown_state(entry))}; }},
    {"size", [](const Entry& entry) { return Texts{std::to_string(entry.desired().size_gib)}; }},
    {"snapshot-id", [](const Entry& entry) { return Texts{shown_snapshot(entry.desired())}; }},
    {"availability-zone", [](const Entry& entry) { return Texts{entry.desired().zone}; }},
    {"encrypted", [](const Entry&) { return flag(false); }},
    {"multi-attach-enabled", [](const Entry&) { return flag(false); }},
    {"volume-type", [](const Entry& entry) { return Texts{entry.desired().type}; }},
    {"create-time", [](const Entry& entry) { return Texts{format_time(entry.desired().created_at)}; }},
};
const model::Tags& tags_of(const Entry& entry) { return entry.desired().tags; }
std::string id_of(const Entry& entry) { return entry.desired().id.text(); }

std::string_view status_of(const Entry& entry) {
  return entry.view.observed.value.state == model::VolumeState::kError ? "impaired" : "ok";
}

constexpr Filter<Entry> kStatusFilters[] = {
    {"availability-zone", [](const Entry& entry) { return Texts{entry.desired().zone}; }},
    {"volume-status.status", [](const Entry& entry) { return Texts{std::string(status_of(entry))}; }},
    {"volume-status.details-name", [](const Entry&) { return Texts{"io-enabled", "io-performance"}; }},
    {"volume-status.details-status", [](const Entry&) { return Texts{"passed", "not-applicable"}; }},
};

void write_status(pugi::xml_node item, const Entry& entry) {
  const std::string_view status = status_of(entry);
  add(item, "volumeId", id_of(entry));
  add(item, "availabilityZone", entry.desired().zone);
  pugi::xml_node node = add(item, "volumeStatus");
  add(node, "status", status);
  pugi::xml_node details = add(node, "details");
  pugi::xml_node enabled = add_item(details);
  add(enabled, "name", "io-enabled");
  add(enabled, "status", status == "ok" ? "passed" : "failed");
  pugi::xml_node performance = add_item(details);
  add(performance, "name", "io-performance");
  add(performance, "status", "not-applicable");
  add(item, "eventsSet");
  add(item, "actionsSet");
}

}  // namespace

void write_attachment(pugi::xml_node node, const VolumeEntry& entry) {
  add(node, "volumeId", id_of(entry));
  add(node, "instanceId", entry.instance.text());
  add(node, "device", entry.wish.device);
  add(node, "status", model::name(entry.attachment));
  add_time(node, "attachTime", entry.wish.attached_at);
  add_flag(node, "deleteOnTermination", entry.wish.delete_on_termination);
}

void write_volume(pugi::xml_node item, const VolumeEntry& entry) {
  const model::VolumeDesired& desired = entry.desired();
  add(item, "volumeId", desired.id.text());
  add_number(item, "size", static_cast<i64>(desired.size_gib));
  add(item, "snapshotId", shown_snapshot(desired));
  add(item, "availabilityZone", desired.zone);
  add(item, "status", shown_state(entry));
  add_time(item, "createTime", desired.created_at);
  pugi::xml_node attachments = add(item, "attachmentSet");
  if (!entry.is_detached()) write_attachment(add_item(attachments), entry);
  add(item, "volumeType", desired.type);
  if (desired.iops != 0) add_number(item, "iops", desired.iops);
  if (desired.throughput != 0) add_number(item, "throughput", desired.throughput);
  add_flag(item, "encrypted", false);
  add_flag(item, "multiAttachEnabled", false);
  add_tags(item, desired.tags);
}

Reply<> describe_volumes(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  const std::vector<std::string> ids = call.parameters.list("VolumeId");
  if (!ids.empty() && page.limit != 0) {
    return ApiError("InvalidParameterCombination",
                    "The parameter maxResults cannot be used with the parameter volumeSet");
  }
  std::vector<Entry> entries = TRY(find_volumes(call, ids));
  std::erase_if(entries, [&](const Entry& entry) { return !filters.pass(entry); });
  pugi::xml_node set = add(answer, "volumeSet");
  write_page(page, entries, answer, id_of, [&](const Entry& entry) { write_volume(add_item(set), entry); });
  return {};
}

Reply<> describe_volume_status(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kStatusFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  std::vector<Entry> entries = TRY(find_volumes(call, call.parameters.list("VolumeId")));
  std::erase_if(entries, [&](const Entry& entry) { return !filters.pass(entry); });
  pugi::xml_node set = add(answer, "volumeStatusSet");
  write_page(page, entries, answer, id_of, [&](const Entry& entry) { write_status(add_item(set), entry); });
  return {};
}

Reply<> describe_volume_attribute(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_volume(call, call.parameters.get("VolumeId")));
  const std::string& attribute = call.parameters.get("Attribute");
  add(answer, "volumeId", id_of(entry));
  if (attribute == "autoEnableIO") {
    add_flag(add(answer, "autoEnableIO"), "value", false);
  } else if (attribute == "productCodes") {
    add(answer, "productCodes");
  } else {
    return ApiError("InvalidParameterValue",
                    "Value (" + attribute.substr(0, 40) + ") for parameter attribute is invalid. Unknown attribute.");
  }
  return {};
}

}  // namespace pileus::ec2
