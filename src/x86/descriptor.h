// Segment and gate descriptors (Intel SDM vol. 3, 3.4.5 and 6.14.1).
#pragma once

#include "base/ints.h"

namespace pileus::x86 {

// Attributes as in engine::Segment: bits 0-3 type, 4 S, 5-6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable.
inline constexpr u32 kTypeMask = 15, kCodeOrData = 1U << 4, kPresentBit = 1U << 7, kLongBit = 1U << 13,
                     kDefaultBig = 1U << 14, kGranularity = 1U << 15, kUnusable = 1U << 16;
inline constexpr u32 kTypeCode = 8, kTypeConforming = 4, kTypeReadableWritable = 2, kTypeAccessed = 1;
inline constexpr u32 kTypeTss16 = 1, kTypeLdt = 2, kTypeTss16Busy = 3, kTypeCallGate16 = 4, kTypeTaskGate = 5,
                     kTypeTss32 = 9, kTypeTss32Busy = 11, kTypeCallGate32 = 12;

constexpr u32 descriptor_attributes(u64 raw) {
  return static_cast<u32>(raw >> 40 & 0xFF) | (static_cast<u32>(raw >> 52 & 15) << 12);
}
constexpr u64 descriptor_base(u64 raw) { return (raw >> 16 & 0xFFFFFF) | (raw >> 56 & 0xFF) << 24; }
constexpr u32 descriptor_limit(u64 raw) {
  const u32 limit = static_cast<u32>(raw & 0xFFFF) | (static_cast<u32>(raw >> 48 & 15) << 16);
  return (raw >> 55 & 1) != 0 ? limit << 12 | 4095 : limit;
}
constexpr unsigned dpl(u32 attributes) { return attributes >> 5 & 3; }
constexpr bool is_code(u32 attributes) { return (attributes & (kCodeOrData | kTypeCode)) == (kCodeOrData | kTypeCode); }
constexpr bool is_conforming(u32 attributes) { return is_code(attributes) && (attributes & kTypeConforming) != 0; }
constexpr bool is_writable_data(u32 attributes) {
  return (attributes & (kCodeOrData | kTypeCode | kTypeReadableWritable)) == (kCodeOrData | kTypeReadableWritable);
}
// Of a gate or another system descriptor; code and data segments have bit 4 set.
constexpr u32 system_type(u32 attributes) { return attributes & (kCodeOrData | kTypeMask); }

}  // namespace pileus::x86
