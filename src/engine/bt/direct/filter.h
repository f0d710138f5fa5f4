// The seccomp filters of a worker's two threads.
#pragma once

#include "engine/bt/direct/stub.h"

namespace pileus::engine::bt::direct {

// Write both into `control` as it will be seen in the worker.
void write_filters(Control* control);

}  // namespace pileus::engine::bt::direct
