#include "first_start.h"

#include <set>

#include "control/image_reach.h"
#include "control/records.h"
#include "ec2/accounts.h"
#include "http/certificates.h"
#include "model/image.h"

namespace pileus::cloudd {
namespace {

constexpr u64 kGiB = 1024 * kMiB;

// 2026-11-23T12:34:56Z, as images have it.
model::Millis parse_created(const std::string& text) {
  std::tm parts = {};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return 0;
  return static_cast<model::Millis>(::timegm(&parts)) * 1000;
}

}  // namespace

Result<> ensure_types(state::Store& store) {
  state::Get any{state::KeyRange::prefix(std::string(model::kTypesPrefix))};
  any.limit = 1;
  any.keys_only = true;
  const state::Snapshot found = TRY(store.get(any));
  if (!found.entries.empty()) return {};
  control::Change change;
  for (const model::InstanceType& type : model::default_instance_types()) {
    change.update(model::type_key(type.name), type, 0);
  }
  TRY(change.commit(store));  // if not, another cloud manager has just done it
  return {};
}

Result<model::AccountId> ensure_root(state::Store& store, const control::Clock& clock,
                                     const std::filesystem::path& file, client::Settings settings, int tries) {
  const Result<client::Settings> before = client::read_settings(file);
  if (!before && before.error().code() != ErrorCode::kNotFound) return before.error();
  ec2::Accounts accounts(store);
  ec2::NewAccount request;
  request.name = "root";
  request.administrator = true;
  if (before) {
    request.access_key = before->access_key;
    request.secret_key = before->secret_key;
    const std::optional<model::Account> known = TRY(accounts.find(before->access_key));
    if (known) {
      settings.access_key = before->access_key;
      settings.secret_key = before->secret_key;
      TRY(client::write_settings(file, settings));
      return known->id;
    }
  }
  // Another manager of this cloud has made it.
  const std::vector<model::Account> all = TRY(accounts.list());
  for (const model::Account& account : all) {
    if (account.name != request.name || account.access_keys.empty()) continue;
    settings.access_key = account.access_keys.front().id;
    settings.secret_key = account.access_keys.front().secret;
    TRY(client::write_settings(file, settings));
    return account.id;
  }
  // The file first: were the account first, a kill in between would leave one whose key nobody knows.
  if (request.access_key.empty()) {
    request.access_key = "AKIA" + TRY(http::random_hex(8));
    for (char& c : request.access_key) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    request.secret_key = TRY(http::random_hex(20));
  }
  settings.access_key = request.access_key;
  settings.secret_key = request.secret_key;
  TRY(client::write_settings(file, settings));
  const Result<model::Account> account = ec2::create_account(store, request, clock.now()).with(file.string());
  if (account) return account->id;
  // Two first starts at the same time: the other one's it is.
  if (account.error().code() == ErrorCode::kExists && tries > 0) {
    return ensure_root(store, clock, file, std::move(settings), tries - 1);
  }
  return account.error();
}

Result<u32> publish_images(state::Store& store, const image::Library& library, const model::AccountId& root,
                           const std::function<bool(model::ImageId)>& ready) {
  std::set<model::ImageId> present;
  for (const image::ImageInfo& info : library.list()) {
    model::ImageDesired desired;
    desired.id = control::library_image_id(info.name);
    present.insert(desired.id);
    desired.owner = root;
    desired.name = info.name;
    desired.description = info.description;
    desired.is_public = true;
    desired.created_at = parse_created(info.created);
    model::ImageObserved observed;
    observed.id = desired.id;
    observed.state = model::ImageState::kAvailable;
    observed.size_gib = (info.disk_bytes + kGiB - 1) / kGiB;
    const auto known = TRY(control::read<model::ImageDesired>(store, model::desired_key(desired.id)));
    const auto seen = TRY(control::read<model::ImageObserved>(store, model::observed_key(desired.id)));
    const bool is_new = !known.exists() || seen.value.state == model::ImageState::kDeregistered;
    if (is_new && !ready(desired.id)) continue;
    if (known.exists()) desired.tags = known.value.tags;
    observed.manifest = seen.value.manifest;  // hosts tell it
    if (known.value == desired && seen.value == observed) continue;
    control::Change change;
    change.update(model::desired_key(desired.id), desired, known.revision);
    change.update(model::observed_key(desired.id), observed, seen.revision);
    TRY(change.commit(store));  // if others changed it: the next call
  }
  const std::string prefix(model::kind_prefix(model::IdKind::kImage));
  const state::Snapshot all = TRY(store.get(state::Get{state::KeyRange::prefix(prefix)}));
  for (const state::KeyValue& entry : all.entries) {
    if (model::split_key(model::IdKind::kImage, entry.key).part != "observed") continue;
    auto observed = TRY(control::decode_entry<model::ImageObserved>(entry));
    if (present.contains(observed.value.id) || observed.value.state == model::ImageState::kDeregistered) continue;
    const auto desired = TRY(control::read<model::ImageDesired>(store, model::desired_key(observed.value.id)));
    if (!desired.value.disks.empty()) continue;  // made of snapshots: the library knows nothing of it
    observed.value.state = model::ImageState::kDeregistered;
    control::Change change;
    change.update(entry.key, observed.value, observed.revision);
    TRY(change.commit(store));
  }
  return static_cast<u32>(present.size());
}

}  // namespace pileus::cloudd
