// What is shown of snapshots.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/pages.h"
#include "ec2/snapshots/handlers.h"
#include "ec2/snapshots/write.h"

namespace pileus::ec2 {
namespace {

using Entry = SnapshotEntry;

std::string progress_of(const Entry& entry) { return std::to_string(entry.observed.progress_percent) + "%"; }

constexpr Filter<Entry> kFilters[] = {
    {"snapshot-id", [](const Entry& entry) { return Texts{entry.desired.id.text()}; }},
    {"volume-id", [](const Entry& entry) { return Texts{entry.desired.volume.text()}; }},
    {"volume-size", [](const Entry& entry) { return Texts{std::to_string(entry.desired.size_gib)}; }},
    {"status", [](const Entry& entry) { return Texts{std::string(model::name(entry.observed.state))}; }},
    {"progress", [](const Entry& entry) { return Texts{progress_of(entry)}; }},
    {"description", [](const Entry& entry) { return Texts{entry.desired.description}; }},
    {"owner-id", [](const Entry& entry) { return Texts{entry.desired.account.text()}; }},
    {"owner-alias", [](const Entry&) { return Texts{}; }},
    {"encrypted", [](const Entry&) { return flag(false); }},
    {"storage-tier", [](const Entry&) { return Texts{"standard"}; }},
    {"start-time", [](const Entry& entry) { return Texts{format_time(entry.desired.started_at)}; }},
};
const model::Tags& tags_of(const Entry& entry) { return entry.desired.tags; }
std::string id_of(const Entry& entry) { return entry.desired.id.text(); }

// "self", an account's number; "amazon" and the like own nothing here.
bool is_owned_by(const Entry& entry, const std::vector<std::string>& owners, const Call& call) {
  return owners.empty() || std::ranges::any_of(owners, [&](const std::string& owner) {
           return owner == "self" ? entry.desired.account == call.account.id : owner == entry.desired.account.text();
         });
}

// "self", "all", an account's number: who may make volumes of it.
bool is_restorable_by(const Entry& entry, const std::vector<std::string>& who, const Call& call) {
  return who.empty() || std::ranges::any_of(who, [&](const std::string& each) {
           if (each == "all") return entry.desired.is_public;
           const std::string account = each == "self" ? call.account.id.text() : each;
           const auto is_account = [&](const model::AccountId& id) { return id.text() == account; };
           return entry.desired.account.text() == account || std::ranges::any_of(entry.desired.accounts, is_account);
         });
}

}  // namespace

void write_snapshot(pugi::xml_node item, const SnapshotEntry& entry, const char* state) {
  const model::SnapshotDesired& desired = entry.desired;
  add(item, "snapshotId", desired.id.text());
  // EC2 says so of those that were not made of a volume.
  add(item, "volumeId", desired.volume ? desired.volume.text() : "vol-ffffffff");
  add(item, state, model::name(entry.observed.state));
  add_if(item, "statusMessage", entry.observed.reason);
  add_time(item, "startTime", desired.started_at);
  add(item, "progress", progress_of(entry));
  add(item, "ownerId", desired.account.text());
  add_number(item, "volumeSize", static_cast<i64>(desired.size_gib));
  add(item, "description", desired.description);
  add_flag(item, "encrypted", false);
  add(item, "storageTier", "standard");
  add_tags(item, desired.tags);
}

Reply<> describe_snapshots(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  const std::vector<std::string> ids = call.parameters.list("SnapshotId");
  if (!ids.empty() && page.limit != 0) {
    return ApiError("InvalidParameterCombination",
                    "The parameter maxResults cannot be used with the parameter snapshotSet");
  }
  const std::vector<std::string> owners = call.parameters.list("Owner");
  const std::vector<std::string> restorers = call.parameters.list("RestorableBy");
  std::vector<Entry> entries = TRY(find_snapshots(call, ids));
  std::erase_if(entries, [&](const Entry& entry) {
    return !is_owned_by(entry, owners, call) || !is_restorable_by(entry, restorers, call) || !filters.pass(entry);
  });
  pugi::xml_node set = add(answer, "snapshotSet");
  write_page(page, entries, answer, id_of, [&](const Entry& entry) { write_snapshot(add_item(set), entry); });
  return {};
}

}  // namespace pileus::ec2
