// ModifyVolume: larger, or of another kind. The kind is remembered and changes nothing here; the size is real.
#include "ec2/filters.h"
#include "ec2/pages.h"
#include "ec2/quota.h"
#include "ec2/volumes/handlers.h"
#include "ec2/volumes/write.h"

namespace pileus::ec2 {
namespace {

using Entry = VolumeEntry;

bool is_done(const Entry& entry) {
  const auto& observed = entry.view.observed;
  return !entry.lives || (observed.exists() && observed.value.size_gib >= entry.desired().size_gib);
}
std::string_view state_of(const Entry& entry) { return is_done(entry) ? "completed" : "modifying"; }

constexpr Filter<Entry> kFilters[] = {
    {"volume-id", [](const Entry& entry) { return Texts{entry.desired().id.text()}; }},
    {"modification-state", [](const Entry& entry) { return Texts{std::string(state_of(entry))}; }},
    {"original-size", [](const Entry& entry) { return Texts{std::to_string(entry.desired().changed_from.size_gib)}; }},
    {"original-volume-type", [](const Entry& entry) { return Texts{entry.desired().changed_from.type}; }},
    {"original-iops", [](const Entry& entry) { return Texts{std::to_string(entry.desired().changed_from.iops)}; }},
    {"target-size", [](const Entry& entry) { return Texts{std::to_string(entry.desired().size_gib)}; }},
    {"target-volume-type", [](const Entry& entry) { return Texts{entry.desired().type}; }},
    {"target-iops", [](const Entry& entry) { return Texts{std::to_string(entry.desired().iops)}; }},
    {"start-time", [](const Entry& entry) { return Texts{format_time(entry.desired().changed_from.started_at)}; }},
};
std::string id_of(const Entry& entry) { return entry.desired().id.text(); }

void write_modification(pugi::xml_node item, const Entry& entry) {
  const model::VolumeDesired& now = entry.desired();
  const model::VolumeChange& before = now.changed_from;
  add(item, "volumeId", now.id.text());
  add(item, "modificationState", state_of(entry));
  add_number(item, "targetSize", static_cast<i64>(now.size_gib));
  add_number(item, "targetIops", now.iops);
  add(item, "targetVolumeType", now.type);
  add_number(item, "targetThroughput", now.throughput);
  add_flag(item, "targetMultiAttachEnabled", false);
  add_number(item, "originalSize", static_cast<i64>(before.size_gib));
  add_number(item, "originalIops", before.iops);
  add(item, "originalVolumeType", before.type);
  add_number(item, "originalThroughput", before.throughput);
  add_flag(item, "originalMultiAttachEnabled", false);
  add_number(item, "progress", is_done(entry) ? 100 : 0);
  add_time(item, "startTime", before.started_at);
  const model::Millis seen = entry.view.observed.value.changed_at;
  if (is_done(entry)) add_time(item, "endTime", std::max(before.started_at, seen));
}

}  // namespace

Reply<> modify_volume(Call& call, pugi::xml_node answer) {
  Entry shown;
  const auto attempt = [&]() -> Reply<bool> {
    const Entry volume = TRY(find_volume(call, call.parameters.get("VolumeId")));
    TRY(refuse_unsupported(call.parameters));
    if (!volume.desired().wanted) {
      return ApiError("IncorrectState", "The volume '" + id_of(volume) + "' is being deleted");
    }
    if (volume.desired().changed_from.started_at != 0 && !is_done(volume)) {
      return ApiError("IncorrectModificationState",
                      "Cannot modify volume " + id_of(volume) + ": a modification of it is under way");
    }
    model::VolumeDesired desired = volume.desired();
    desired.changed_from = {desired.size_gib, desired.type, desired.iops, desired.throughput, call.clock.now()};
    const i64 size = TRY(call.parameters.integer("Size", static_cast<i64>(desired.size_gib)));
    if (size < static_cast<i64>(desired.size_gib)) {
      return ApiError("InvalidParameterValue", "New size cannot be smaller than existing size");
    }
    if (size > static_cast<i64>(kMaxVolume)) {
      return ApiError("InvalidParameterValue", "A volume has up to " + std::to_string(kMaxVolume) + " GiB");
    }
    control::Change change;
    const u64 more = static_cast<u64>(size) - desired.size_gib;
    if (more != 0) TRY(claim_volumes(call, change, more));
    desired.size_gib = static_cast<u64>(size);
    TRY(read_performance(call.parameters, desired));
    change.update(model::desired_key(desired.id), desired, volume.view.desired.revision);
    TRY(tell(call, change, desired.id, "wanted modified", std::to_string(size) + " GiB, " + desired.type));
    shown = volume;
    shown.view.desired.value = desired;
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_modification(add(answer, "volumeModification"), shown);
  return {};
}

Reply<> describe_volumes_modifications(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  std::vector<Entry> entries = TRY(find_volumes(call, call.parameters.list("VolumeId")));
  std::erase_if(entries, [&](const Entry& entry) {
    return entry.desired().changed_from.started_at == 0 || !filters.pass(entry);
  });
  pugi::xml_node set = add(answer, "volumeModificationSet");
  write_page(page, entries, answer, id_of, [&](const Entry& entry) { write_modification(add_item(set), entry); });
  return {};
}

}  // namespace pileus::ec2
