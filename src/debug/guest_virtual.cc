#include "debug/guest_virtual.h"

#include <algorithm>

namespace pileus::debug {

namespace {

constexpr u64 kPage = 4096;
constexpr u64 kPaging = u64{1} << 31;                                           // CR0.PG
constexpr u64 kPse = 1U << 4, kPae = 1U << 5, kLa57 = 1U << 12;                 // CR4
constexpr u64 kLongMode = 1U << 10;                                             // EFER.LMA
constexpr u64 kPresent = 1, kLarge = 1U << 7;                                   // of an entry
constexpr u64 kAddressBits = 0x000FFFFFFFFFF000;                                // of an entry

template <typename Entry>
std::optional<u64> entry_at(const guest::GuestMemory& memory, guest::Gpa address) {
  Entry entry = 0;
  if (!memory.read(address, {reinterpret_cast<u8*>(&entry), sizeof entry}) || (entry & kPresent) == 0) return {};
  return entry;
}

std::optional<guest::Gpa> translate_32(const guest::GuestMemory& memory, const AddressSpace& space, u64 va) {
  const auto directory = entry_at<u32>(memory, (space.cr3 & 0xFFFFF000) + (va >> 22 & 1023) * 4);
  if (!directory) return {};
  if ((*directory & kLarge) != 0 && (space.cr4 & kPse) != 0) {
    return (*directory & 0xFFC00000) | (*directory >> 13 & 0xFF) << 32 | (va & 0x3FFFFF);  // PSE-36
  }
  const auto leaf = entry_at<u32>(memory, (*directory & 0xFFFFF000) + (va >> 12 & 1023) * 4);
  if (!leaf) return {};
  return (*leaf & 0xFFFFF000) | (va & (kPage - 1));
}

// Levels of 512 entries from bit `shift` of the address down.
std::optional<guest::Gpa> walk(const guest::GuestMemory& memory, guest::Gpa table, unsigned shift, u64 va) {
  for (;; shift -= 9) {
    const auto entry = entry_at<u64>(memory, table + (va >> shift & 511) * 8);
    if (!entry) return {};
    const bool leaf = shift == 12 || (shift <= 30 && (*entry & kLarge) != 0);
    const u64 offset = (u64{1} << shift) - 1;
    if (leaf) return (*entry & kAddressBits & ~offset) | (va & offset);
    table = *entry & kAddressBits;
  }
}

bool is_canonical(u64 va, unsigned bits) {
  return static_cast<u64>(static_cast<i64>(va << (64 - bits)) >> (64 - bits)) == va;
}

}  // namespace

std::optional<guest::Gpa> translate(const guest::GuestMemory& memory, const AddressSpace& space, u64 va) {
  if ((space.efer & kLongMode) == 0) va &= 0xFFFFFFFF;
  if ((space.cr0 & kPaging) == 0) return va;
  if ((space.efer & kLongMode) != 0) {
    const bool five = (space.cr4 & kLa57) != 0;
    if (!is_canonical(va, five ? 57 : 48)) return {};
    return walk(memory, space.cr3 & kAddressBits, five ? 48 : 39, va);
  }
  if ((space.cr4 & kPae) == 0) return translate_32(memory, space, va);
  const auto top = entry_at<u64>(memory, (space.cr3 & 0xFFFFFFE0) + (va >> 30) * 8);
  if (!top) return {};
  return walk(memory, *top & kAddressBits, 21, va);
}

std::size_t read_virtual(const guest::GuestMemory& memory, const AddressSpace& space, u64 va, std::span<u8> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const u64 at = va + done;
    const std::size_t part = std::min<u64>(out.size() - done, kPage - (at & (kPage - 1)));
    const auto gpa = translate(memory, space, at);
    if (!gpa || !memory.read(*gpa, out.subspan(done, part))) break;
    done += part;
  }
  return done;
}

bool write_virtual(guest::GuestMemory& memory, const AddressSpace& space, u64 va, std::span<const u8> data) {
  const auto for_each_part = [&](auto&& act) {
    for (std::size_t done = 0; done < data.size();) {
      const u64 at = va + done;
      const std::size_t part = std::min<u64>(data.size() - done, kPage - (at & (kPage - 1)));
      const auto gpa = translate(memory, space, at);
      if (!gpa || !act(*gpa, data.subspan(done, part))) return false;
      done += part;
    }
    return true;
  };
  return for_each_part(
             [&](guest::Gpa gpa, std::span<const u8> part) { return memory.host(gpa, part.size()) != nullptr; }) &&
         for_each_part([&](guest::Gpa gpa, std::span<const u8> part) { return memory.write(gpa, part); });
}

}  // namespace pileus::debug
