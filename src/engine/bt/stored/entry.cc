#include "engine/bt/stored/entry.h"

#include <algorithm>
#include <cstring>

#include <immintrin.h>

namespace pileus::engine::bt::stored {

namespace {

u64 mixed(u64 value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93ULL;
  return value ^ value >> 32;
}

// Every processor with BMI2, which the translator needs, has it.
__attribute__((target("sse4.2"))) u32 crc32c(std::span<const u8> bytes) {
  u64 crc = 0xFFFFFFFF;
  while (bytes.size() >= 8) {
    u64 word = 0;
    std::memcpy(&word, bytes.data(), 8);
    crc = _mm_crc32_u64(crc, word);
    bytes = bytes.subspan(8);
  }
  for (const u8 byte : bytes) crc = _mm_crc32_u8(static_cast<u32>(crc), byte);
  return ~static_cast<u32>(crc);
}

u64 body_size(const EntryHeader& header) {
  return sizeof header + (header.insn_count + u64{1}) * sizeof(InsnMark) + header.relocation_count * sizeof(u16) +
         header.guest_size + header.hot_size + header.cold_size;
}

bool is_plausible(const EntryHeader& header) {
  if (header.size != align_up(body_size(header), 8) || header.size > kMaxEntry) return false;
  if (header.hot_size > kMaxPart || header.cold_size > kMaxPart || header.guest_size == 0) return false;
  if (header.page_offset + header.guest_size > 4096 || header.mode >= kModeCount || header.usable > 3) return false;
  if (header.insn_count == 0 || header.insn_count >= CodeCache::kMaxInsns || header.falls_through > 1) return false;
  for (const EntryHeader::Exit& exit : header.exit) {
    if (exit.site == 0) continue;
    if (exit.site % 4 != 0 || exit.site + 4U > header.hot_size || exit.unlinked >= header.cold_size) return false;
    if ((exit.leads_to & ~kLinkFar) >> kLinkMode >= kModeCount) return false;
    if ((exit.leads_to & kLinkFar) != 0 && exit.unlinked + kUnlinkedBytes >= header.cold_size) return false;
  }
  return true;
}

// In rising order, and inside of the block.
bool are_plausible(const EntryHeader& header, const InsnMark* marks) {
  for (unsigned i = 0; i <= header.insn_count; ++i) {
    const unsigned before = i == 0 ? header.page_offset : marks[i - 1].guest_offset;
    const unsigned least = i == 0 ? before : before + 1;
    if (marks[i].guest_offset < least || marks[i].guest_offset > header.page_offset + header.guest_size) return false;
    if (marks[i].host_offset > header.hot_size || (i > 0 && marks[i].host_offset < marks[i - 1].host_offset))
      return false;
  }
  return marks[0].guest_offset == header.page_offset;
}

}  // namespace

u64 Wanted::hash() const {
  std::array<u64, 2> words{};
  std::memcpy(words.data(), bytes, std::min<unsigned>(length, sizeof words));
  return mixed(mixed(mixed(page_offset | u64{mode} << 16 | u64{usable} << 24) + words[0]) + words[1]);
}

bool Entry::fits(const Wanted& wanted) const {
  return header.page_offset == wanted.page_offset && header.mode == wanted.mode && header.usable == wanted.usable &&
         guest.size() <= wanted.length && std::memcmp(guest.data(), wanted.bytes, guest.size()) == 0;
}

u32 checksum_of(std::span<const u8> bytes) { return crc32c(bytes); }

std::optional<Entry> parse_entry_unchecked(std::span<const u8> bytes) {
  Entry entry{};
  if (bytes.size() < sizeof entry.header) return std::nullopt;
  std::memcpy(&entry.header, bytes.data(), sizeof entry.header);
  if (!is_plausible(entry.header) || entry.header.size > bytes.size()) return std::nullopt;
  u64 at = sizeof entry.header;
  const auto take = [&](u64 size) {
    at += size;
    return bytes.subspan(at - size, size);
  };
  entry.marks =
      static_cast<const InsnMark*>(static_cast<const void*>(take((entry.header.insn_count + u64{1}) * 4).data()));
  entry.relocations = take(entry.header.relocation_count * sizeof(u16));
  entry.guest = take(entry.header.guest_size);
  entry.hot = take(entry.header.hot_size);
  entry.cold = take(entry.header.cold_size);
  if (!are_plausible(entry.header, entry.marks)) return std::nullopt;
  return entry;
}

std::optional<Entry> parse_entry(std::span<const u8> bytes) {
  EntryHeader header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.size < sizeof header || header.size > bytes.size()) return std::nullopt;
  if (checksum_of(bytes.subspan(sizeof header.checksum, header.size - sizeof header.checksum)) != header.checksum)
    return std::nullopt;
  return parse_entry_unchecked(bytes);
}

}  // namespace pileus::engine::bt::stored
