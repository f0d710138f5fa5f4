// The fuzzer's way into the virtqueue.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::virtio {

// Takes `input` as a queue layout followed by the start of guest RAM, pops every chain, touches all
// bytes of it and gives it back. Must return, whatever the input.
void fuzz_queue(std::span<const u8> input);

}  // namespace pileus::virtio
