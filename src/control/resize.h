// Another type for a stopped instance: what it takes changes, and with it its host's claims, in one transaction.
#pragma once

#include "control/records.h"
#include "model/host.h"

namespace pileus::control {

// kNotFound; kInvalid when it is not stopped; kExhausted when its host, where its disk is, has no room for it; kBusy when
// others changed it each time we tried. The disk keeps its size.
Result<> resize(state::Store& store, model::InstanceId id, const model::InstanceType& type);

}  // namespace pileus::control
