// What hosts tell of transfers, written down; and what an import makes.
#pragma once

#include "control/clock.h"
#include "control/view.h"

namespace pileus::control {

// kNotFound: the transfer is not this host's, or is over. kInvalid: not a state that follows the last, or not all disks
// are there.
Result<> observe_transfer(state::Store& store, const Clock& clock, model::HostId host,
                          const model::TransferObserved& told);

// Ends the transfer as failed, in this transaction.
Result<> fail_transfer(Change& change, const Clock& clock, const TransferView& transfer, const std::string& why);

}  // namespace pileus::control
