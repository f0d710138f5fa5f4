// A block and a file of it as they lie on disk: docs/formats/translation-cache.md.
#include <cstring>

#include "engine/bt/stored/file.h"
#include "seeds.h"

namespace pileus::fuzz {

namespace {

using namespace engine::bt::stored;

// `ret` with a jump to a stub in its hot part, and a way back in its cold one.
Bytes entry() {
  EntryHeader header{};
  header.mode = engine::bt::kModeUser;
  header.usable = 3;
  header.guest_size = 1;
  header.hot_size = header.cold_size = 16;
  header.relocation_count = 2;
  header.insn_count = 1;
  header.exit[0] = {.site = 4, .unlinked = 0, .leads_to = 64};
  header.size = sizeof header + 2 * 4 + 2 * 2 + 1 + 2 * 16;
  header.size = (header.size + 7) / 8 * 8;
  Bytes out(header.size);
  const engine::bt::InsnMark marks[2] = {{0, 0}, {8, 1}};
  const u16 relocations[2] = {static_cast<u16>(static_cast<unsigned>(RelocationKind::kToStub) << 13 | 4),
                              static_cast<u16>(static_cast<unsigned>(RelocationKind::kToOther) << 13 | 1U << 12 | 1)};
  std::memcpy(out.data() + sizeof header, marks, sizeof marks);
  std::memcpy(out.data() + sizeof header + sizeof marks, relocations, sizeof relocations);
  out[sizeof header + sizeof marks + sizeof relocations] = 0xC3;
  const Wanted wanted{out.data() + sizeof header + sizeof marks + sizeof relocations, 1, 0, engine::bt::kModeUser, 3};
  header.hash = wanted.hash();
  std::memcpy(out.data(), &header, sizeof header);
  const u32 checksum = checksum_of({out.data() + sizeof checksum, out.size() - sizeof checksum});
  std::memcpy(out.data(), &checksum, sizeof checksum);
  return out;
}

}  // namespace

std::vector<Bytes> translation_entry_seeds() { return {entry()}; }

std::vector<Bytes> translation_file_seeds() {
  constexpr u64 kSlots = 2;
  const Bytes one = entry();
  EntryHeader header;
  std::memcpy(&header, one.data(), sizeof header);
  const u64 offset = sizeof(FileHeader) + kSlots * sizeof(u64);
  Bytes out(offset + one.size());
  const FileHeader first = make_header({}, kSlots, 1, out.size());
  std::memcpy(out.data(), &first, sizeof first);
  const u64 slot = slot_of(header.hash, offset);
  std::memcpy(out.data() + sizeof first + (header.hash % kSlots) * sizeof slot, &slot, sizeof slot);
  std::memcpy(out.data() + offset, one.data(), one.size());
  out.push_back(0xC3);  // what is looked for
  return {out};
}

}  // namespace pileus::fuzz
