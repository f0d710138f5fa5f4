// The fuzzer's way to the CD drive.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::virtio {

// Takes `input` as a queue's number, the room for an answer, and a request. Must return, whatever the input.
void fuzz_scsi(std::span<const u8> input);

}  // namespace pileus::virtio
