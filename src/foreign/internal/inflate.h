// Unpacking of one chunk.
#pragma once

#include <span>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::foreign {

enum class Packing : u8 { kDeflate, kZlib, kZstd };  // kDeflate: without zlib's header

// Fills `out`. What follows the packed data in `packed` is left alone. kCorrupt: it is not so packed, or is shorter.
Result<> unpack(Packing packing, std::span<const u8> packed, std::span<u8> out);

}  // namespace pileus::foreign
