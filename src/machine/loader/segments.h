// Putting what a kernel file holds into guest RAM.
#pragma once

#include "base/result.h"
#include "guest/memory.h"
#include "machine/loader/elf.h"

namespace pileus::machine {

// Copies segments to RAM while their file comes by.
class SegmentLoader {
 public:
  // Checks that they all fit in, none larger than `limit`. `memory` outlives it.
  static Result<SegmentLoader> create(guest::GuestMemory& memory, ElfImage image, u64 limit);

  const ElfImage& image() const { return image_; }
  // The next bytes of the file.
  void take(Bytes piece);
  // Behind the last. The end of the highest segment. kCorrupt: the file is too short.
  Result<u64> finish();

 private:
  SegmentLoader(guest::GuestMemory& memory, ElfImage image) : memory_(&memory), image_(std::move(image)) {}

  guest::GuestMemory* memory_;
  ElfImage image_;
  u64 taken_ = 0;
};

// The same with a file that is there as a whole.
Result<u64> load_segments(guest::GuestMemory& memory, Bytes file, const ElfImage& image, u64 limit);

}  // namespace pileus::machine
