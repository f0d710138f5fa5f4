// The fuzz targets: every parser of bytes that come from a guest, an image or a client, in one table.
//
// A new target needs a function that takes any bytes, and a line in target.cc; good seeds are worth more than long
// runs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace pileus::fuzz {

using Bytes = std::vector<u8>;

struct Target {
  std::string_view name;
  std::string_view what;  // what the bytes are
  // Must return on every input, without a crash, a failed CHECK or a read outside of it.
  void (*run)(std::span<const u8> input);
  // Small valid inputs to start from; null: there are none.
  std::vector<Bytes> (*seeds)();
  u64 max_size;  // of inputs that are worth trying, in bytes
};

// All but the canaries.
std::span<const Target> targets();

// Parsers with a planted mistake each: a harness that does not catch it is broken.
std::span<const Target> canaries();

// By name, canaries too; nullptr when there is none.
const Target* find_target(std::string_view name);

}  // namespace pileus::fuzz
