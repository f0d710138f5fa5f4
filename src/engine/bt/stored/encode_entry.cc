// From a block that was just emitted to its entry.
#include <algorithm>
#include <cstring>

#include "engine/bt/stored/entry.h"

namespace pileus::engine::bt::stored {

namespace {

bool is_in(std::span<const u8> part, const u8* at) { return at >= part.data() && at <= part.data() + part.size(); }

// Copies of the two parts, in which places are made relocatable.
class Parts {
 public:
  Parts(const Emitted& emitted, const CodeCache& code, u8* hot, u8* cold)
      : emitted_(emitted), code_(code), copy_{hot, cold} {
    std::copy(emitted.hot.begin(), emitted.hot.end(), hot);
    std::copy(emitted.cold.begin(), emitted.cold.end(), cold);
  }

  // False: of a kind that no relocation describes. A displacement inside of a part needs none.
  bool relocate(const Places::Note& note, u8* relocation, unsigned* count) {
    const bool in_cold = is_in(emitted_.cold, note.at);
    const std::span<const u8> part = in_cold ? emitted_.cold : emitted_.hot;
    const std::span<const u8> other = in_cold ? emitted_.hot : emitted_.cold;
    const auto offset = static_cast<u64>(note.at - part.data());
    u8* copy = copy_[in_cold ? 1 : 0] + offset;
    RelocationKind kind = RelocationKind::kBlock;
    u32 value = 0;
    if (note.place == Place::kDisplacement) {
      i32 displacement = 0;
      std::memcpy(&displacement, note.at, 4);
      const u8* target = note.at + 4 + displacement;
      if (is_in(part, target)) return true;
      if (code_.is_stub(target)) {
        kind = RelocationKind::kToStub;
        value = static_cast<u32>(target - code_.base());
      } else if (is_in(other, target)) {
        kind = RelocationKind::kToOther;
        value = static_cast<u32>(target - other.data());
      } else {
        return false;
      }
    } else if (note.place != Place::kBlock) {
      kind = note.place == Place::kInsn ? RelocationKind::kInsn : RelocationKind::kHandler;
      std::memset(copy + 4, 0, 4);
    }
    std::memcpy(copy, &value, 4);
    const auto encoded = static_cast<u16>(static_cast<unsigned>(kind) << 13 | (in_cold ? 1U << 12 : 0U) | offset);
    std::memcpy(relocation + *count * sizeof encoded, &encoded, sizeof encoded);
    ++*count;
    return true;
  }

 private:
  const Emitted& emitted_;
  const CodeCache& code_;
  std::array<u8*, 2> copy_;
};

}  // namespace

u32 encode_entry(const Wanted& wanted, const Emitted& emitted, const CodeCache& code, u8* out) {
  const Block& block = emitted.block;
  if (!emitted.places.complete() || emitted.hot.size() >= kMaxPart || emitted.cold.size() >= kMaxPart) return 0;
  // Both parts go to where they are once it is known how many relocations there are.
  std::array<u8, kMaxPart> hot, cold;
  Parts parts(emitted, code, hot.data(), cold.data());
  EntryHeader header{};
  u8* at = out + sizeof header;
  const u64 marks_size = (block.insn_count + u64{1}) * sizeof(InsnMark);
  std::memcpy(at, block.marks(), marks_size);
  at += marks_size;
  unsigned relocations = 0;
  for (unsigned i = 0; i < emitted.places.count; ++i) {
    if (!parts.relocate(emitted.places.notes[i], at, &relocations)) return 0;
  }
  at += relocations * sizeof(u16);
  const auto append = [&at](std::span<const u8> bytes) { at = std::copy(bytes.begin(), bytes.end(), at); };
  append({wanted.bytes, block.guest_size});
  append({hot.data(), emitted.hot.size()});
  append({cold.data(), emitted.cold.size()});
  while ((at - out) % 8 != 0) *at++ = 0;

  header.size = static_cast<u32>(at - out);
  header.hash = wanted.hash();
  header.page_offset = wanted.page_offset;
  header.mode = wanted.mode;
  header.usable = wanted.usable;
  header.guest_size = block.guest_size;
  header.hot_size = static_cast<u16>(emitted.hot.size());
  header.cold_size = static_cast<u16>(emitted.cold.size());
  header.relocation_count = static_cast<u16>(relocations);
  header.insn_count = block.insn_count;
  header.inside = block.inside;
  header.falls_through = block.falls_through ? 1 : 0;
  for (unsigned i = 0; i < header.exit.size(); ++i) {
    const Link& link = block.link[i];
    if (link.site == 0) continue;
    header.exit[i] = {link.site, static_cast<u16>(block.host + link.unlinked - emitted.cold.data()), link.leads_to};
  }
  std::memcpy(out, &header, sizeof header);
  const u32 checksum = checksum_of({out + sizeof checksum, header.size - sizeof checksum});
  std::memcpy(out, &checksum, sizeof checksum);
  return header.size;
}

}  // namespace pileus::engine::bt::stored
