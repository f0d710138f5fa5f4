#include "control/interfaces.h"

namespace pileus::control {
namespace {

void free_address(Change& change, const model::InterfaceDesired& interface, const std::string& address) {
  change.erase(state::KeyRange::key(model::subnet_address_key(interface.subnet, address)));
}

}  // namespace

Result<> erase_interface(state::Store& store, Change& change, const model::InterfaceDesired& interface) {
  change.erase(state::KeyRange::key(model::desired_key(interface.id)));
  free_address(change, interface, interface.private_address);
  for (const std::string& address : interface.more_addresses) free_address(change, interface, address);
  if (!interface.allocation) return {};
  const std::string key = model::desired_key(interface.allocation);
  auto elastic = TRY(read<model::AddressDesired>(store, key));
  if (elastic.value.interface != interface.id) return {};
  elastic.value.association = {};
  elastic.value.interface = {};
  change.update(key, elastic.value, elastic.revision);
  return {};
}

Result<u32> InterfaceReaper::run_once() {
  TRY(work_.refresh());
  const auto now = std::chrono::steady_clock::now();
  u32 done = TRY(release_of_ended());
  if (swept_at_ && now < *swept_at_ + kStep) return done;
  do done += TRY(sweep_page());
  while (!swept_at_ && !next_.empty());
  swept_at_ = now;
  return done;
}

// Instances name their interfaces, so those that have ended since are found without reading all there are.
Result<u32> InterfaceReaper::release_of_ended() {
  u32 done = 0;
  const auto ended = work_.instances([](model::InstanceId, const InstanceView& instance) {
    return instance.observed.value.state == model::InstanceState::kTerminated && instance.desired.exists();
  });
  for (const auto& [id, instance] : ended) {
    bool all = true;
    for (const model::InterfaceId interface : instance.desired.value.interfaces) {
      const Outcome outcome = TRY(release(model::desired_key(interface)));
      if (outcome == Outcome::kReleased) ++done;
      all &= outcome != Outcome::kNotNow;
    }
    if (all) work_.done(id);
  }
  return done;
}

// One that is not in view may be newer than the view: the record itself decides, in release().
bool InterfaceReaper::has_ended(model::InstanceId id) {
  bool ended = false;
  view_->look([&](View& view) {
    const InstanceView* instance = view.find(id);
    ended = instance == nullptr || instance->observed.value.state == model::InstanceState::kTerminated;
  });
  return ended;
}

Result<u32> InterfaceReaper::sweep_page() {
  constexpr u64 kPage = 500;
  state::KeyRange range = state::KeyRange::prefix(std::string(model::kind_prefix(model::IdKind::kInterface)));
  if (!next_.empty()) range.begin = next_;
  const state::Snapshot page = TRY(store_.get(state::Get{range, kPage}));
  // First of all, so that a record that cannot be read keeps nobody from the pages behind it.
  next_ = page.more && !page.entries.empty() ? page.entries.back().key + '\0' : std::string();
  u32 done = 0;
  for (const state::KeyValue& entry : page.entries) {
    if (model::split_key(model::IdKind::kInterface, entry.key).part != "desired") continue;
    const auto interface = TRY(decode_entry<model::InterfaceDesired>(entry));
    if (!interface.value.instance || !has_ended(interface.value.instance)) continue;
    if (TRY(release(entry.key)) == Outcome::kReleased) ++done;
  }
  return done;
}

Result<InterfaceReaper::Outcome> InterfaceReaper::release(const std::string& key) {
  auto interface = TRY(read<model::InterfaceDesired>(store_, key));
  if (!interface.exists() || !interface.value.instance) return Outcome::kNothing;
  const auto observed = TRY(read<model::InstanceObserved>(store_, model::observed_key(interface.value.instance)));
  if (observed.exists() && observed.value.state != model::InstanceState::kTerminated) return Outcome::kNotNow;
  Change change;
  change.expect(key, interface.revision);
  change.expect(model::observed_key(interface.value.instance), observed.revision);
  if (interface.value.delete_on_termination) {
    TRY(erase_interface(store_, change, interface.value));
  } else {
    interface.value.instance = {};
    interface.value.attached_since = 0;
    change.put(key, model::encode(interface.value));
  }
  return TRY(change.commit(store_)) ? Outcome::kReleased : Outcome::kNotNow;
}

}  // namespace pileus::control
