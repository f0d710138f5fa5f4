#include "control/interfaces.h"

#include "model/network.h"

namespace pileus::control {

Result<u32> InterfaceReaper::run_once() {
  TRY(view_.sync());
  if (view_.revision() == seen_) return 0U;
  const std::string prefix(model::kind_prefix(model::IdKind::kInterface));
  state::Get all{state::KeyRange::prefix(prefix)};
  const state::Snapshot found = TRY(store_.get(all));
  u32 done = 0;
  for (const state::KeyValue& entry : found.entries) {
    if (model::split_key(model::IdKind::kInterface, entry.key).part != "desired") continue;
    const auto interface = TRY(decode_entry<model::InterfaceDesired>(entry));
    if (!interface.value.instance) continue;
    const auto instance = view_.instances().find(interface.value.instance);
    // One that is not in view may be newer than the view: the record itself decides.
    const bool ended = instance == view_.instances().end() ||
                       instance->second.observed.value.state == model::InstanceState::kTerminated;
    if (ended && TRY(release(entry.key))) ++done;
  }
  seen_ = view_.revision();
  return done;
}

Result<bool> InterfaceReaper::release(const std::string& key) {
  const auto interface = TRY(read<model::InterfaceDesired>(store_, key));
  if (!interface.exists()) return false;
  const auto observed = TRY(read<model::InstanceObserved>(store_, model::observed_key(interface.value.instance)));
  if (observed.exists() && observed.value.state != model::InstanceState::kTerminated) return false;
  Change change;
  change.expect(key, interface.revision);
  change.expect(model::observed_key(interface.value.instance), observed.revision);
  change.erase(state::KeyRange::key(key));
  change.erase(
      state::KeyRange::key(model::subnet_address_key(interface.value.subnet, interface.value.private_address)));
  return TRY(change.commit(store_)).has_value();
}

}  // namespace pileus::control
