// CdDrive: a CD or DVD drive with a disc in it, as SCSI commands see it (SPC-4, MMC-6). The disc is a BlockBackend of which
// 2,048 bytes are a sector; it is only read, and never leaves.
//
// Not thread-safe: it belongs to its device's I/O thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "virtio/block_backend.h"

namespace pileus::virtio {

// Why a command failed: sense key, additional code and its qualifier (SPC-4, 4.5).
struct Sense {
  u8 key;
  u8 code;
  u8 qualifier;
  bool operator==(const Sense&) const = default;
};

inline constexpr std::size_t kFixedSenseBytes = 18;
// In fixed format; without `sense`: there is nothing to tell.
std::vector<u8> encode_sense(const std::optional<Sense>& sense);

class CdDrive {
 public:
  static constexpr u64 kSector = 2048;

  // What a command gives: sense if it failed, else these bytes or, for a read command, a range of the disc.
  struct Answer {
    std::optional<Sense> sense{};
    std::vector<u8> data{};
    u64 disc_offset = 0;
    u64 disc_bytes = 0;
  };

  explicit CdDrive(std::unique_ptr<BlockBackend> disc) : disc_(std::move(disc)), sectors_(disc_->size() / kSector) {}
  // `command`: 16 bytes of command descriptor block, zeroes behind a shorter one.
  Answer execute(std::span<const u8, 16> command) const;
  // A range that execute() gave.
  Result<> read(u64 offset, std::span<u8> out) { return disc_->read(offset, out); }

 private:
  using Command = std::span<const u8, 16>;
  Answer inquiry(Command command) const;
  Answer mode_sense(Command command, bool long_form) const;
  Answer read_capacity() const;
  Answer read_sectors(u64 first, u64 count) const;
  Answer read_toc(Command command) const;
  Answer get_configuration(Command command) const;
  Answer get_event_status(Command command) const;

  std::unique_ptr<BlockBackend> disc_;
  const u64 sectors_;
};

}  // namespace pileus::virtio
