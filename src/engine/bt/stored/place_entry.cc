// From an entry to a block that can run.
#include <cstring>

#include "engine/bt/fast_system.h"
#include "engine/bt/stored/entry.h"

namespace pileus::engine::bt::stored {

namespace {

class Placement {
 public:
  Placement(const Entry& entry, CodeCache& code, const Block& block, u8* host, u8* cold)
      : entry_(entry), code_(code), block_(block), part_{{{host, entry.hot.size()}, {cold, entry.cold.size()}}} {}

  bool relocate(u16 relocation) {
    const std::span<u8> part = part_[relocation >> 12 & 1];
    const std::span<u8> other = part_[~relocation >> 12 & 1];
    const u64 offset = relocation & (kMaxPart - 1);
    const auto kind = static_cast<RelocationKind>(relocation >> 13);
    const bool wide = kind == RelocationKind::kInsn || kind == RelocationKind::kHandler;
    if (kind >= RelocationKind::kCount || offset + (wide ? 8 : 4) > part.size()) return false;
    u8* at = part.data() + offset;
    if (wide) return put_insn(part, offset, kind == RelocationKind::kHandler);
    u32 value = 0;
    std::memcpy(&value, at, sizeof value);
    const u8* target = nullptr;
    switch (kind) {
      case RelocationKind::kToStub: target = code_.base() + value; break;
      case RelocationKind::kToOther: target = other.data() + value; break;
      default: value = code_.reference(block_); break;
    }
    if (target != nullptr) {
      if (kind == RelocationKind::kToStub ? !code_.is_stub(target) : value > other.size()) return false;
      value = static_cast<u32>(target - (at + 4));
    }
    std::memcpy(at, &value, sizeof value);
    return true;
  }

 private:
  // The address of the instruction whose index is in the Site before it, or of its handler.
  bool put_insn(std::span<u8> part, u64 offset, bool handler) const {
    const u64 site = handler ? sizeof(InsnSite) : sizeof(Site);
    if (offset < site) return false;
    Site from;
    std::memcpy(&from, part.data() + offset - site, sizeof from);
    if (from.value >= entry_.header.insn_count) return false;
    const unsigned begin = entry_.marks[from.value].guest_offset - unsigned{entry_.header.page_offset};
    const unsigned end = entry_.marks[from.value + 1].guest_offset - unsigned{entry_.header.page_offset};
    const Insn* insn = code_.intern(entry_.guest.subspan(begin, end - begin));
    if (insn == nullptr) return false;
    u64 value = reinterpret_cast<u64>(insn);
    if (handler) value = reinterpret_cast<u64>(fast_handler(*insn));
    std::memcpy(part.data() + offset, &value, sizeof value);
    return value != 0;
  }

  const Entry& entry_;
  CodeCache& code_;
  const Block& block_;
  std::array<std::span<u8>, 2> part_;
};

}  // namespace

bool place_entry(const Entry& entry, CodeCache& code, Block* block, u8* host, u8* cold) {
  const EntryHeader& header = entry.header;
  std::memcpy(host, entry.hot.data(), entry.hot.size());
  std::memcpy(cold, entry.cold.data(), entry.cold.size());
  block->host = host;
  block->host_size = header.hot_size;
  block->insn_count = header.insn_count;
  block->inside = header.inside;
  block->falls_through = header.falls_through != 0;
  std::memcpy(block->marks(), entry.marks, (header.insn_count + u64{1}) * sizeof(InsnMark));
  Placement placement(entry, code, *block, host, cold);
  for (u64 i = 0; i < header.relocation_count; ++i) {
    u16 relocation = 0;
    std::memcpy(&relocation, entry.relocations.data() + i * sizeof relocation, sizeof relocation);
    if (!placement.relocate(relocation)) return false;
  }
  for (unsigned i = 0; i < header.exit.size(); ++i) {
    if (header.exit[i].site == 0) continue;
    block->link[i].site = header.exit[i].site;
    block->link[i].leads_to = header.exit[i].leads_to;
    block->link[i].unlinked = static_cast<u32>(cold + header.exit[i].unlinked - host);
  }
  return true;
}

}  // namespace pileus::engine::bt::stored
