#include "machine/loader/segments.h"

#include <algorithm>

#include "machine/layout.h"

namespace pileus::machine {

Result<u64> load_segments(guest::GuestMemory& memory, Bytes file, const ElfImage& image, u64 limit) {
  u64 end = 0;
  for (const ElfSegment& segment : image.segments) {
    if (segment.address < kHighRamStart) {
      return Error(ErrorCode::kInvalid, "a segment wants the first MiB, which the board uses");
    }
    if (segment.memory_size > limit) return Error(ErrorCode::kInvalid, "damaged: a segment is far too large");
    const auto target = memory.span(segment.address, segment.memory_size);
    if (!target) return Error(ErrorCode::kInvalid, "does not fit in the guest's memory: give the machine more");
    const Bytes data = file.subspan(segment.file_offset, segment.file_size);
    std::copy(data.begin(), data.end(), target->begin());
    std::fill(target->begin() + static_cast<std::ptrdiff_t>(data.size()), target->end(), u8{0});
    memory.written(segment.address, segment.memory_size);
    end = std::max(end, segment.address + segment.memory_size);
  }
  return end;
}

}  // namespace pileus::machine
