// The beginning and the giving up of a migration: an instance goes to another host, down for the way (docs/adr/0058).
//
// The way, of which the last step alone changes where the instance is:
//
//   begin       the host is chosen; it holds room. The volumes of the instance say themselves where they live
//   fetch       the other host fetches what the disks were before they came here, while the guest still runs
//   down        the guest is shut down; its host lets go of its disks, freezes them and tells what they are made of
//   fetch       the other host fetches the rest
//   arrive      instance and volumes are the other host's, under new epochs; there it starts, if its owner wants it to run
//
// Until then everything is where it was and whole, and the migration may be given up at any time.
#pragma once

#include <functional>

#include "control/clock.h"
#include "control/shared_view.h"

namespace pileus::control {

struct MigrationWish {
  model::InstanceId id;
  model::HostId to;  // none: placement chooses
  bool may_go_down = false;  // of one that runs
  std::string by;
  // Adds records that are to appear with it, when the host is known; may be left out.
  std::function<void(Change&, model::HostId)> beside;
};

// The host that it goes to: that of the migration under way if there is one already, and no other host was asked for.
// kNotFound; kInvalid with the reason why it cannot move now; kExhausted with what placement says when no host fits; kBusy.
Result<model::HostId> begin_migration(state::Store& store, const Clock& clock, SharedView& view,
                                      const placement::Policy& policy, const MigrationWish& wish);

// Puts into the transaction that it stays where it is, and that the other host's room is given back. `instance` is as it was
// read; the transaction holds only if it is still so.
Result<> give_up_migration(state::Store& store, Change& change, const InstanceView& instance, model::Event event);

// Takes what the instance holds away from a host's claims, in the transaction. kBusy: they were read at another moment.
Result<> release_claims(state::Store& store, Change& change, model::HostId host, const model::InstancePlaced& placed);

}  // namespace pileus::control
