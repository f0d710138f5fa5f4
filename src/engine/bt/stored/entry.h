// Entry: one translated block as it lies in a translation file (docs/formats/translation-cache.md).
//
//   entry      = header marks relocation* guest hot cold padding
//   header     = EntryHeader
//   marks      = InsnMark{header.insn_count + 1}
//   relocation = u16: RelocationKind << 13 | (in the cold part) << 12 | offset in the part
//   guest      = the guest's bytes that the block was made of, header.guest_size of them
//   hot, cold  = host code, header.hot_size and header.cold_size bytes, with what a relocation names replaced:
//                kToStub: u32, offset of the target from the beginning of the code cache
//                kToOther: u32, offset of the target in the block's other part
//                kBlock, kInsn, kHandler: zero
//   padding    = zeroes, up to a multiple of 8
//
// The checksum is CRC-32C of everything in the entry behind it. All numbers are little-endian.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/ints.h"
#include "engine/bt/code_cache.h"
#include "engine/bt/stored/places.h"

namespace pileus::engine::bt::stored {

enum class RelocationKind : u8 { kToStub, kToOther, kBlock, kInsn, kHandler, kCount };

struct EntryHeader {
  u32 checksum;
  u32 size;  // of the whole entry
  u64 hash;  // Wanted::hash()
  u16 page_offset;  // of the first guest byte
  u8 mode;          // Mode
  u8 usable;        // Usable bits
  u16 guest_size;
  u16 hot_size;
  u16 cold_size;
  u16 relocation_count;
  u8 insn_count;
  u8 falls_through;  // 0 or 1
  // Exits to other blocks on the page; site 0 where there is none.
  struct Exit {
    u16 site;      // of the jump's displacement, in the hot part
    u16 unlinked;  // where it leads while not linked, in the cold part
    u16 leads_to;  // page offset of the other block, and its Mode << kLinkMode
  };
  std::array<Exit, 2> exit;
  std::array<u8, 6> reserved;  // 0
  u64 inside;  // Block::inside
};
static_assert(sizeof(EntryHeader) == 56 && sizeof(InsnMark) == 4);

inline constexpr u64 kMaxPart = 4096;  // bytes of a part: relocations have 12 bits for the offset
inline constexpr u64 kMaxEntry = 16 * kKiB;

// What a block is wanted for: where, in which mode, and the bytes that stand there now.
struct Wanted {
  const u8* bytes;
  unsigned length;  // up to the end of the page, or as much as a block may have
  u16 page_offset;
  Mode mode;
  u8 usable;

  // Of the first 16 bytes, place and mode: entries of one hash are told apart by all of their bytes.
  u64 hash() const;
};

// An entry whose parts have been found to lie inside of it.
struct Entry {
  EntryHeader header;
  const InsnMark* marks;
  std::span<const u8> relocations;
  std::span<const u8> guest, hot, cold;

  // Whether it was made of the bytes that are there, for that place and mode.
  bool fits(const Wanted& wanted) const;
};

u32 checksum_of(std::span<const u8> bytes);

// `bytes` is aligned for EntryHeader and begins with an entry. Nothing: it is damaged or none.
std::optional<Entry> parse_entry(std::span<const u8> bytes);
// The same, but without a look at the checksum: for its fuzz target.
std::optional<Entry> parse_entry_unchecked(std::span<const u8> bytes);

// A block that was just emitted.
struct Emitted {
  const Block& block;
  std::span<const u8> hot, cold;
  const Places& places;
};
// Writes its entry to `out`, of kMaxEntry bytes; answers its size, or 0 when it cannot be kept.
u32 encode_entry(const Wanted& wanted, const Emitted& emitted, const CodeCache& code, u8* out);

// Puts the entry's code at `host` and `cold`, both of which have room for it, and fills in `block` as the emitter does.
// `host` is 4-byte aligned. False: it is no code of ours. Under CodeCache::mutex().
bool place_entry(const Entry& entry, CodeCache& code, Block* block, u8* host, u8* cold);

}  // namespace pileus::engine::bt::stored
