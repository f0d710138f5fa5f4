// Input: the bytes that a foreign disk is read from.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::foreign {

class Input {
 public:
  virtual ~Input() = default;
  virtual u64 size() const = 0;
  // All of `out`; kCorrupt where that leaves the input.
  virtual Result<> read(u64 offset, std::span<u8> out) = 0;
  // The first place from `offset` on that may hold something else than zeroes; size() when there is none.
  virtual u64 next_data(u64 offset) = 0;
};

// A regular file or a block device; kInvalid for anything else.
Result<std::unique_ptr<Input>> open_input(const std::filesystem::path& path);

class MemoryInput final : public Input {
 public:
  explicit MemoryInput(std::span<const u8> bytes) : bytes_(bytes) {}  // which outlive it
  u64 size() const override { return bytes_.size(); }
  Result<> read(u64 offset, std::span<u8> out) override;
  u64 next_data(u64 offset) override { return offset; }

 private:
  const std::span<const u8> bytes_;
};

}  // namespace pileus::foreign
