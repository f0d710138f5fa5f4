// DiskReader: a disk in a foreign format, read chunk by chunk.
//
// Such files come from strangers. A reader opens nothing but its input: files that name other files (backing files,
// parents, external data, extents) are refused. Every table and offset in them is held against the input's size.
#pragma once

#include <memory>
#include <optional>

#include "foreign/format.h"
#include "foreign/input.h"

namespace pileus::foreign {

inline constexpr u64 kMaxDisk = u64{16} << 40;

class DiskReader {
 public:
  virtual ~DiskReader() = default;
  virtual Format format() const = 0;
  virtual u64 size() const = 0;  // bytes of the disk: whole sectors, at least one
  virtual u64 chunk_size() const = 0;
  u64 chunk_count() const { return (size() + chunk_size() - 1) / chunk_size(); }
  // The first chunk from `index` on that may hold something else than zeroes; chunk_count() when there is none.
  virtual Result<u64> next_data(u64 index) = 0;
  // A whole chunk: `out` has chunk_size() bytes. What lies beyond the disk's end is unspecified.
  virtual Result<> read(u64 index, std::span<u8> out) = 0;
};

// In that format, or in the one that it looks like; what looks like none is raw. kInvalid, kUnsupported, kCorrupt.
Result<std::unique_ptr<DiskReader>> open_disk(std::unique_ptr<Input> input, std::optional<Format> format);

}  // namespace pileus::foreign
