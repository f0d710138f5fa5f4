#include "machine/loader/segments.h"

#include <algorithm>

#include "machine/layout.h"

namespace pileus::machine {

Result<SegmentLoader> SegmentLoader::create(guest::GuestMemory& memory, ElfImage image, u64 limit) {
  for (const ElfSegment& segment : image.segments) {
    if (segment.address < kHighRamStart) {
      return Error(ErrorCode::kInvalid, "a segment wants the first MiB, which the board uses");
    }
    if (segment.memory_size > limit) return Error(ErrorCode::kInvalid, "damaged: a segment is far too large");
    if (!memory.span(segment.address, segment.memory_size)) {
      return Error(ErrorCode::kInvalid, "does not fit in the guest's memory: give the machine more");
    }
  }
  return SegmentLoader(memory, std::move(image));
}

void SegmentLoader::take(Bytes piece) {
  for (const ElfSegment& segment : image_.segments) {
    const u64 from = std::max(segment.file_offset, taken_);
    const u64 to = std::min(segment.file_offset + segment.file_size, taken_ + piece.size());
    if (from >= to) continue;
    const Bytes data = piece.subspan(from - taken_, to - from);
    const auto target = memory_->span(segment.address + (from - segment.file_offset), data.size());
    std::copy(data.begin(), data.end(), target->begin());
  }
  taken_ += piece.size();
}

Result<u64> SegmentLoader::finish() {
  u64 end = 0;
  for (const ElfSegment& segment : image_.segments) {
    if (segment.file_offset + segment.file_size > taken_) {
      return Error(ErrorCode::kCorrupt, "truncated: a segment lies outside the file");
    }
    const auto rest = memory_->span(segment.address + segment.file_size, segment.memory_size - segment.file_size);
    if (rest) std::fill(rest->begin(), rest->end(), u8{0});
    memory_->written(segment.address, segment.memory_size);
    end = std::max(end, segment.address + segment.memory_size);
  }
  return end;
}

Result<u64> load_segments(guest::GuestMemory& memory, Bytes file, const ElfImage& image, u64 limit) {
  SegmentLoader loader = TRY(SegmentLoader::create(memory, image, limit));
  loader.take(file);
  return loader.finish();
}

}  // namespace pileus::machine
