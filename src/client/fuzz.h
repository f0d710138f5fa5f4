// Fuzz targets of what a cloud sends its clients.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::client {

// A stream of server-sent events, in two parts: where it is cut makes no difference.
void fuzz_events(std::span<const u8> input);

}  // namespace pileus::client
