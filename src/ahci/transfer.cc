#include "ahci/transfer.h"

#include <algorithm>
#include <array>
#include <bit>

namespace pileus::ahci {

namespace {

struct Region {
  u64 address;
  u32 reserved;
  u32 last;  // bits 0-21: bytes less one
};
static_assert(sizeof(Region) == 16);

constexpr u32 kLastMask = 0x3FFFFF;

}  // namespace

// Addresses and lengths are even: bit 0 of either says nothing.
std::optional<Transfer> Transfer::read(guest::GuestMemory& memory, guest::Gpa table, u32 entries) {
  Transfer transfer(memory);
  for (u32 i = 0; i < entries && transfer.capacity_ < kMaxBytes; ++i) {
    std::array<u8, sizeof(Region)> raw{};
    if (!memory.read(table + u64{i} * sizeof(Region), raw)) return std::nullopt;
    const auto region = std::bit_cast<Region>(raw);
    const guest::Gpa address = align_down(region.address, 2);
    const auto bytes = memory.span(address, u64{(region.last & kLastMask) | 1} + 1);
    if (!bytes) return std::nullopt;
    transfer.segments_.push_back({address, *bytes});
    transfer.capacity_ += bytes->size();
  }
  return transfer;
}

bool Transfer::put(std::span<const u8> bytes) {
  return fill(bytes.size(), [&](std::span<u8> piece) {
    std::ranges::copy(bytes.first(piece.size()), piece.begin());
    bytes = bytes.subspan(piece.size());
    return true;
  });
}

bool Transfer::get(std::span<u8> out) const {
  return take(out.size(), [&](std::span<const u8> piece) {
    std::ranges::copy(piece, out.begin());
    out = out.subspan(piece.size());
    return true;
  });
}

}  // namespace pileus::ahci
