// VMDK as one sparse extent (VMware's "Virtual Disk Format 5.0"). All numbers little-endian, places in sectors:
//
//   header      := "KDMV" version:u32 flags:u32 capacity:u64 grain_size:u64 descriptor:u64 descriptor_size:u64
//                  entries_of_table:u32 redundant_directory:u64 directory:u64 overhead:u64 unclean:u8
//                  line_ends:u8[4] compression:u16 zeroes                          512 bytes
//   directory   := place:u32 ...   of the tables
//   table       := place:u32 ...   of grains; 0: none, 1: zeroes
//   packed grain := first_sector:u64 length:u32 zlib                               at its place, padded to a sector
//   marker      := sectors:u64 zero:u32 type:u32 zeroes                            512 bytes, before what it is of
//
// A stream-optimized file has markers and packed grains; its directory comes last, and a second header (the footer, in
// the last but one sector) says where.
#pragma once

#include "base/ints.h"
#include "foreign/internal/bytes.h"

namespace pileus::foreign::vmdk {

inline constexpr u32 kMagic = 0x564D444B;
inline constexpr u32 kNewLines = 1;          // flags: line_ends are as they were written
inline constexpr u32 kPackedGrains = 1 << 16;
inline constexpr u32 kMarkers = 1 << 17;
inline constexpr u64 kAtTheEnd = ~u64{0};    // of `directory`: see the footer
inline constexpr u16 kDeflate = 1;
inline constexpr u32 kEntries = 512;         // of a table
inline constexpr u64 kGrain = 128;           // sectors, usually
inline constexpr std::size_t kGrainHeader = 12;

// Offsets in the header.
inline constexpr std::size_t kVersionAt = 4, kFlagsAt = 8, kCapacityAt = 12, kGrainSizeAt = 20, kDescriptorAt = 28,
                             kDescriptorSizeAt = 36, kEntriesAt = 44, kDirectoryAt = 56, kOverheadAt = 64,
                             kLineEndsAt = 73, kCompressionAt = 77;

enum class Marker : u32 { kEnd = 0, kTable = 1, kDirectory = 2, kFooter = 3 };

}  // namespace pileus::foreign::vmdk
