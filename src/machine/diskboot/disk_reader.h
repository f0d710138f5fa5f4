// DiskReader: a disk's bytes, whatever they come from: a VM's disk is a copy-on-write overlay of an
// image.
#pragma once

#include <span>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::machine {

class DiskReader {
 public:
  virtual ~DiskReader() = default;
  // All of `out` from byte `offset`, or an error; never a part.
  virtual Result<> read(u64 offset, std::span<u8> out) = 0;
  virtual u64 size() const = 0;  // bytes
};

}  // namespace pileus::machine
