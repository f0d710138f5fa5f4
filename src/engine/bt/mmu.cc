#include "engine/bt/mmu.h"

#include <algorithm>
#include <cstring>

#include "engine/bt/code_pages.h"
#include "engine/bt/debug.h"
#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/lapic.h"
#include "engine/bt/page_walk.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"
#include "guest/memory.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kApicPage = 0xFEE00000;
constexpr u64 kApicEnable = 0x800, kApicX2apic = 0x400;

// One piece of an access: within a page, translated.
struct Piece {
  u8* host = nullptr;  // nullptr: MMIO
  u64 gpa = 0;
  unsigned size = 0;
};

bool locate(Context& context, u64 va, unsigned size, Access access, Mode mode, Piece* out) {
  Walk walk;
  if (access == Access::kExecute) {
    if (!translate_code(context, va, &walk.gpa)) return false;
  } else {
    if (!walk_pages(context, va, access, mode, &walk)) return false;
    const bool plain = tlb_insert(context, va, walk, access, mode);
    if (!plain && context.vectors_in_place) return false;  // a device's, or a page that code was translated from
    if (!plain && context.debug != nullptr) context.debug->on_access(va, size, access);  // a watched page never is
  }
  *out = {context.vm->memory().host(walk.gpa, size), walk.gpa, size};
  if (out->host == nullptr && context.vectors_in_place) return false;
  return true;
}

bool is_lapic(const Context& context, u64 gpa) {
  return (gpa & ~kPageMask) == kApicPage && (context.lapic->base_msr() & (kApicEnable | kApicX2apic)) == kApicEnable;
}

// xAPIC registers are 32 bits wide, 16 bytes apart; other accesses within them are undefined (SDM vol. 3, 11.4.1).
u64 mmio_read(Context& context, u64 gpa, unsigned size) {
  u64 value = 0;
  if (is_lapic(context, gpa)) {
    context.lapic->read(static_cast<u32>((gpa & kPageMask) >> 4), &value);
    return value >> ((gpa & 3) * 8);
  }
  context.doing(Activity::kDevice);
  context.vm->config().mmio->read(gpa, size, &value);
  context.doing(Activity::kInterpret);
  return value;
}

void mmio_write(Context& context, u64 gpa, unsigned size, u64 value) {
  if (is_lapic(context, gpa)) {
    context.lapic->write(static_cast<u32>((gpa & kPageMask) >> 4), value);
    return;
  }
  context.doing(Activity::kDevice);
  context.vm->config().mmio->write(gpa, size, value);
  context.doing(Activity::kInterpret);
}

// MMIO of any length in naturally aligned accesses.
unsigned mmio_step(u64 gpa, unsigned left) {
  unsigned step = 8;
  while (step > left || (gpa & (step - 1)) != 0) step /= 2;
  return step;
}

// The sizes of the guest's registers in one load or store each: other vCPUs must not see halves of them. The guest's
// processors may race here as they do on bare metal, which ThreadSanitizer is not to tell of.
[[gnu::no_sanitize_thread]] void copy(void* to, const void* from, unsigned size) {
  switch (size) {
    case 1: std::memcpy(to, from, 1); break;
    case 2: std::memcpy(to, from, 2); break;
    case 4: std::memcpy(to, from, 4); break;
    case 8: std::memcpy(to, from, 8); break;
    case 16: std::memcpy(to, from, 16); break;
    case 24: std::memcpy(to, from, 24); break;
    case 32: std::memcpy(to, from, 32); break;
    case 40: std::memcpy(to, from, 40); break;
    case 48: std::memcpy(to, from, 48); break;
    default: std::memcpy(to, from, size);
  }
}

void read_piece(Context& context, const Piece& piece, u8* out) {
  if (piece.host != nullptr) {
    copy(out, piece.host, piece.size);
    return;
  }
  for (unsigned done = 0; done < piece.size;) {
    const unsigned step = mmio_step(piece.gpa + done, piece.size - done);
    const u64 value = mmio_read(context, piece.gpa + done, step);
    std::memcpy(out + done, &value, step);
    done += step;
  }
}

void write_piece(Context& context, const Piece& piece, const u8* data) {
  if (piece.host != nullptr) {
    copy(piece.host, data, piece.size);
    wrote_memory(context, piece.gpa, piece.size);
    return;
  }
  for (unsigned done = 0; done < piece.size;) {
    const unsigned step = mmio_step(piece.gpa + done, piece.size - done);
    u64 value = 0;
    std::memcpy(&value, data + done, step);
    mmio_write(context, piece.gpa + done, step, value);
    done += step;
  }
}

unsigned first_part(u64 va, unsigned size) {
  return static_cast<unsigned>(std::min<u64>(size, 4096 - (va & kPageMask)));
}

// What is looked at whether or not the address is in a TLB: alignment, and the guest's own breakpoints.
bool may_access(Context& context, u64 va, unsigned size, Access access, Mode mode) {
  const bool whole = size == 2 || size == 4 || size == 8;
  if (checks_alignment(context, mode) && whole && (va & (size - 1)) != 0) return context.raise(kVectorAc, 0);
  if (has_breakpoints(context)) note_data_access(context, va, size, access);
  return true;
}

// Both pieces of an access that may cross into the next page; the fault of the second names its own address.
bool locate_both(Context& context, u64 va, unsigned size, Access access, Mode mode, std::array<Piece, 2>* out) {
  const unsigned first = first_part(va, size);
  if (!locate(context, va, first, access, mode, &(*out)[0])) return false;
  if (first == size) return true;
  return locate(context, va + first, size - first, access, mode, &(*out)[1]);
}

}  // namespace

bool translate(Context& context, u64 va, Access access, Mode mode, u64* gpa) {
  Walk walk;
  if (!walk_pages(context, va, access, mode, &walk)) return false;
  if (access == Access::kExecute) note_mapping(context, va, walk, access, mode);  // jumps to it will be cached
  *gpa = walk.gpa;
  return true;
}

bool read_memory(Context& context, u64 va, void* out, unsigned size, Mode mode) {
  if (!may_access(context, va, size, Access::kRead, mode)) return false;
  if (const u8* host = tlb_lookup(context.tlb[mode][0], va, size)) {
    copy(out, host, size);
    return true;
  }
  std::array<Piece, 2> piece;
  if (!locate_both(context, va, size, Access::kRead, mode, &piece)) return false;
  read_piece(context, piece[0], static_cast<u8*>(out));
  if (piece[1].size != 0) read_piece(context, piece[1], static_cast<u8*>(out) + piece[0].size);
  return true;
}

bool write_memory(Context& context, u64 va, const void* data, unsigned size, Mode mode) {
  if (!may_access(context, va, size, Access::kWrite, mode)) return false;
  if (u8* host = tlb_lookup(context.tlb[mode][1], va, size)) {
    copy(host, data, size);
    return true;
  }
  std::array<Piece, 2> piece;
  if (!locate_both(context, va, size, Access::kWrite, mode, &piece)) return false;
  write_piece(context, piece[0], static_cast<const u8*>(data));
  if (piece[1].size != 0) write_piece(context, piece[1], static_cast<const u8*>(data) + piece[0].size);
  return true;
}

bool fetch_code(Context& context, u64 va, u8* out, unsigned size, unsigned* got) {
  const Mode mode = context.cpl == 3 ? kModeUser : kModeKernel;
  Piece piece;
  const unsigned first = first_part(va, size);
  if (!locate(context, va, first, Access::kExecute, mode, &piece)) return false;
  read_piece(context, piece, out);
  *got = first;
  if (first == size) return true;
  const Fault before = context.fault;
  if (!locate(context, va + first, size - first, Access::kExecute, mode, &piece)) {
    context.fault = before;  // only matters when the instruction really reaches that far
    return true;
  }
  read_piece(context, piece, out + first);
  *got = size;
  return true;
}

bool pin_memory(Context& context, u64 va, unsigned size, Mode mode, u8** host, u64* gpa) {
  if (!may_access(context, va, size, Access::kWrite, mode)) return false;
  std::array<Piece, 2> piece;
  if (!locate_both(context, va, size, Access::kWrite, mode, &piece)) return false;
  *host = piece[1].size == 0 ? piece[0].host : nullptr;
  if (*host == nullptr && context.vectors_in_place) return false;
  *gpa = piece[0].gpa;
  return true;
}

void wrote_memory(Context& context, u64 gpa, unsigned size) {
  if (context.vectors_in_place) return;  // the page is in the TLB for writing, and will be until this is over
  // The writer's bytes come before its look at the code bits, as the translator's bits come before its look at the bytes.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!context.vm->pages().has_code(gpa, size)) return;
  ++context.stats.code_writes;
  context.vm->invalidate_code(gpa, size);
}

}  // namespace pileus::engine::bt
