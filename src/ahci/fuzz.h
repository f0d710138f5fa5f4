// The fuzzer's way to a port and its drives.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::ahci {

// The input is a driver: steps of 5 bytes, a register and what is written to it, and behind them the guest's memory from address
// 0 on, where the lists and the tables are:
//   kind of drive (even: a disk, odd: a CD drive)   number of steps   steps   memory
// Must return, whatever the input.
void fuzz_port(std::span<const u8> input);

}  // namespace pileus::ahci
