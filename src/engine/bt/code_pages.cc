#include "engine/bt/code_pages.h"

#include <algorithm>

namespace pileus::engine::bt {

namespace {
u64 chunk_mask(u64 page_offset, u64 length) {
  const u64 first = page_offset / 64;
  const u64 last = (page_offset + length - 1) / 64;
  return (last == 63 ? ~u64{0} : (u64{1} << (last + 1)) - 1) & ~((u64{1} << first) - 1);
}
}  // namespace

Result<std::unique_ptr<CodePages>> CodePages::create(const guest::GuestMemory& memory) {
  const u64 count = memory.end() >> 12;
  os::Mapping map = TRY(os::Mapping::anonymous(align_up(count * sizeof(u64), 4096)).with("code page map"));
  os::Mapping writable = TRY(os::Mapping::anonymous(align_up(count, 4096)).with("code page map"));
  return std::unique_ptr<CodePages>(new CodePages(count, std::move(map), std::move(writable)));
}

CodePages::CodePages(u64 count, os::Mapping map, os::Mapping writable)
    : map_memory_(std::move(map)),
      writable_memory_(std::move(writable)),
      count_(count),
      map_(cast_aligned<std::atomic<u64>>(map_memory_.data())),
      writable_(cast_aligned<std::atomic<u8>>(writable_memory_.data())) {}

bool CodePages::has_code(guest::Gpa address, u64 length) const {
  const u64 end = address + length;
  while (address < end) {
    const u64 in_page = std::min(end - address, 4096 - (address & 4095));
    const u64 bits = chunks(address);
    if (bits != 0 && (bits & chunk_mask(address & 4095, in_page)) != 0) return true;
    address += in_page;
  }
  return false;
}

void CodePages::add(guest::Gpa address, u64 length) {
  if ((address >> 12) >= count_) return;
  map_[address >> 12].fetch_or(chunk_mask(address & 4095, length), std::memory_order_seq_cst);
}

}  // namespace pileus::engine::bt
