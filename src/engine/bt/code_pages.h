// CodePages: which guest-physical pages hold bytes that translated code was made from.
//
// Kept apart from the code cache so that the MMU can ask without knowing translations.
#pragma once

#include <atomic>
#include <memory>

#include "base/cast.h"
#include "base/ints.h"
#include "base/result.h"
#include "guest/memory.h"
#include "os/mapping.h"

namespace pileus::engine::bt {

class CodePages {
 public:
  static Result<std::unique_ptr<CodePages>> create(const guest::GuestMemory& memory);

  u64 count() const { return count_; }  // pages from address 0 on

  // Per page, bit i set: some block was made from bytes of [64 i, 64 i + 64). Zero for what is not RAM.
  u64 chunks(guest::Gpa address) const {
    const u64 page = address >> 12;
    return page < count_ ? map_[page].load(std::memory_order_relaxed) : 0;
  }
  bool has_code(guest::Gpa address) const { return chunks(address) != 0; }
  bool has_code(guest::Gpa address, u64 length) const;  // exact to the chunk; within one or several pages
  void add(guest::Gpa address, u64 length);
  void set(guest::Gpa address, u64 chunks) {
    if ((address >> 12) < count_) map_[address >> 12].store(chunks, std::memory_order_seq_cst);
  }

  // Whether some vCPU may have the page in a write TLB since this was last cleared; set by TLB fills.
  void mark_writable(guest::Gpa address) {
    if ((address >> 12) < count_) writable_[address >> 12].store(1, std::memory_order_seq_cst);
  }
  bool take_writable(guest::Gpa address) {
    return (address >> 12) < count_ && writable_[address >> 12].exchange(0) != 0;
  }

 private:
  CodePages(u64 count, os::Mapping map, os::Mapping writable);

  // Mappings, because of large guests most is never touched.
  os::Mapping map_memory_;
  os::Mapping writable_memory_;
  u64 count_;
  std::atomic<u64>* map_;
  std::atomic<u8>* writable_;
};

}  // namespace pileus::engine::bt
