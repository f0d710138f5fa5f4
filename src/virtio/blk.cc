#include "virtio/blk.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace pileus::virtio {

namespace {

constexpr u64 kSector = 512;
constexpr u16 kQueueSize = 256;
constexpr std::array<u16, 1> kQueueSizes = {kQueueSize};
constexpr u64 kIdBytes = 20;
constexpr u64 kStatusBytes = 1;

// Feature bits (5.2.3).
constexpr u64 kSegMax = u64{1} << 2;
constexpr u64 kReadOnly = u64{1} << 5;
constexpr u64 kBlockSize = u64{1} << 6;
constexpr u64 kFlush = u64{1} << 9;
constexpr u64 kDiscard = u64{1} << 13;
constexpr u64 kWriteZeroes = u64{1} << 14;

// Request types (5.2.6).
constexpr u32 kIn = 0;
constexpr u32 kOut = 1;
constexpr u32 kFlushRequest = 4;
constexpr u32 kGetId = 8;
constexpr u32 kDiscardRequest = 11;
constexpr u32 kWriteZeroesRequest = 13;

// Limits of one discard or write-zeroes request: bounded, because others wait for it.
constexpr u32 kMaxEraseSectors = 2 * 1024 * 1024;  // 1 GiB
constexpr u32 kMaxEraseSegments = 16;
constexpr u32 kEraseUnmap = 1;

struct RequestHeader {
  u32 type;
  u32 reserved;
  u64 sector;
};
static_assert(sizeof(RequestHeader) == 16);

struct EraseSegment {
  u64 sector;
  u32 sectors;
  u32 flags;
};
static_assert(sizeof(EraseSegment) == 16);

// 5.2.4.
struct Config {
  u64 capacity = 0;  // sectors
  u32 size_max = 0;
  u32 seg_max = kQueueSize - 2;  // a header and a status go with the data
  u16 cylinders = 0;
  u8 heads = 0;
  u8 track_sectors = 0;
  u32 block_size = kSector;
  u8 physical_block_exponent = 0;
  u8 alignment_offset = 0;
  u16 min_io_size = 0;
  u32 opt_io_size = 0;
  u8 writeback = 0;
  u8 unused = 0;
  u16 queues = 1;
  u32 max_discard_sectors = kMaxEraseSectors;
  u32 max_discard_segments = kMaxEraseSegments;
  u32 discard_sector_alignment = 8;
  u32 max_write_zeroes_sectors = kMaxEraseSectors;
  u32 max_write_zeroes_segments = kMaxEraseSegments;
  u8 write_zeroes_may_unmap = 1;
  std::array<u8, 3> padding = {};
};
static_assert(sizeof(Config) == 64);
constexpr u64 kConfigBytes = 60;  // the struct has 4 bytes of tail padding

}  // namespace

Blk::Blk(std::unique_ptr<BlockBackend> backend, const std::string& serial, OnRoom on_room)
    : backend_(std::move(backend)),
      serial_(serial.substr(0, kIdBytes)),
      sectors_(backend_->size() / kSector),
      room_(serial_, std::move(on_room)) {}

u64 Blk::features() const {
  const u64 common = kSegMax | kBlockSize | kFlush;
  return backend_->read_only() ? common | kReadOnly : common | kDiscard | kWriteZeroes;
}

std::span<const u16> Blk::queue_sizes() const { return kQueueSizes; }

void Blk::read_config(u32 offset, std::span<u8> out) const {
  Config config;
  config.capacity = sectors_;
  std::array<u8, kConfigBytes> bytes;
  std::memcpy(bytes.data(), &config, bytes.size());
  copy_config(bytes, offset, out);
}

void Blk::write_config(u32, std::span<const u8>) {}

void Blk::activate(Activation activation) { active_ = std::move(activation); }
void Blk::reset() {
  active_ = {};
  kept_.clear();
  room_.tell(false);
}

void Blk::resized() {
  const u64 sectors = backend_->size() / kSector;
  if (sectors_.exchange(sectors) == sectors) return;
  if (active_.driver != nullptr) active_.driver->config_changed();
}

void Blk::notify(u16 queue) {
  if (queue >= active_.queues.size()) return;
  try_kept(queue);
  active_.serve(queue, chain_, [&](const Chain& chain) {
    const std::optional<u32> written = handle(queue, chain);
    // Each has a descriptor of its own in the queue.
    if (!written && kept_.size() >= kQueueSize)
      active_.queues[queue].fail("a disk has more requests than its queue holds");
    else if (!written) kept_.push_back(chain);
    return written;
  });
  room_.tell(!kept_.empty());
  if (kept_.empty()) return;
  active_.driver->notify_later(queue);
}

void Blk::try_kept(u16 queue) {
  while (!kept_.empty()) {
    const std::optional<u32> written = handle(queue, kept_.front());
    if (!written) return;
    active_.queues[queue].push(kept_.front(), *written);
    active_.finish(queue);
    kept_.pop_front();
  }
}

// The header is the first 16 readable bytes, the status the last writable one, however the driver
// cut them into descriptors (5.2.6, 2.7.4).
std::optional<u32> Blk::handle(u16 queue, const Chain& chain) {
  const auto written = static_cast<u32>(chain.writable_bytes);
  std::array<u8, sizeof(RequestHeader)> bytes;
  if (!chain.read(0, bytes) || chain.writable_bytes < kStatusBytes) {
    active_.queues[queue].fail("a disk request has no room for its status");
    return written;
  }
  const auto header = std::bit_cast<RequestHeader>(bytes);
  const Status status = execute(header.type, header.sector, chain);
  if (status == Status::kNoRoom) return std::nullopt;
  const auto told = static_cast<u8>(status);
  CHECK(chain.write(chain.writable_bytes - kStatusBytes, std::span<const u8>(&told, 1)));
  return written;
}

Blk::Status Blk::execute(u32 type, u64 sector, const Chain& chain) {
  const bool changes = type == kOut || type == kDiscardRequest || type == kWriteZeroesRequest;
  if (changes && backend_->read_only()) return Status::kIoError;
  switch (type) {
    case kIn: return read(sector, chain);
    case kOut: return write(sector, chain);
    case kFlushRequest: return flush();
    case kGetId: return get_id(chain);
    case kDiscardRequest:
    case kWriteZeroesRequest: return erase(type, chain);
    default: return Status::kUnsupported;
  }
}

namespace {

// The byte offset of a transfer, or nothing when it is not whole sectors inside the disk.
std::optional<u64> transfer_offset(u64 sector, u64 bytes, u64 disk_sectors) {
  if (bytes % kSector != 0 || sector > disk_sectors) return std::nullopt;
  if (bytes / kSector > disk_sectors - sector) return std::nullopt;
  return sector * kSector;
}

}  // namespace

Blk::Status Blk::read(u64 sector, const Chain& chain) {
  const u64 bytes = chain.writable_bytes - kStatusBytes;
  auto offset = transfer_offset(sector, bytes, sectors_);
  if (!offset) return Status::kIoError;
  const bool done = visit_range(chain.writable, 0, bytes, [&](std::span<u8> piece) {
    const bool ok = report(backend_->read(*offset, piece)) == Status::kOk;
    *offset += piece.size();
    return ok;
  });
  return done ? Status::kOk : Status::kIoError;
}

Blk::Status Blk::write(u64 sector, const Chain& chain) {
  const u64 bytes = chain.readable_bytes - sizeof(RequestHeader);
  auto offset = transfer_offset(sector, bytes, sectors_);
  if (!offset) return Status::kIoError;
  Status status = Status::kOk;
  const auto write_piece = [&](std::span<u8> piece) {
    status = report(backend_->write(*offset, piece));
    *offset += piece.size();
    return status == Status::kOk;
  };
  if (!visit_range(chain.readable, sizeof(RequestHeader), bytes, write_piece)) {
    return status == Status::kOk ? Status::kIoError : status;
  }
  // A driver without the flush feature takes a finished write for durable (5.2.6.2).
  return active_.has(kFlush) ? Status::kOk : flush();
}

Blk::Status Blk::flush() { return report(backend_->flush()); }

Blk::Status Blk::get_id(const Chain& chain) {
  std::array<u8, kIdBytes> id{};
  std::memcpy(id.data(), serial_.data(), serial_.size());
  const u64 room = std::min<u64>(chain.writable_bytes - kStatusBytes, id.size());
  return chain.write(0, std::span<const u8>(id).first(room)) ? Status::kOk : Status::kIoError;
}

// Discard and write-zeroes (5.2.6.2).
Blk::Status Blk::erase(u32 type, const Chain& chain) {
  const u64 bytes = chain.readable_bytes - sizeof(RequestHeader);
  const u64 count = bytes / sizeof(EraseSegment);
  if (bytes % sizeof(EraseSegment) != 0 || count == 0 || count > kMaxEraseSegments) {
    return Status::kIoError;
  }
  for (u64 i = 0; i < count; ++i) {
    std::array<u8, sizeof(EraseSegment)> raw;
    if (!chain.read(sizeof(RequestHeader) + i * sizeof raw, raw)) return Status::kIoError;
    const auto segment = std::bit_cast<EraseSegment>(raw);
    const bool zero = type == kWriteZeroesRequest;
    if ((segment.flags & ~(zero ? kEraseUnmap : 0)) != 0) return Status::kUnsupported;
    const u64 length = u64{segment.sectors} * kSector;
    const auto offset = transfer_offset(segment.sector, length, sectors_);
    if (!offset || segment.sectors > kMaxEraseSectors) return Status::kIoError;
    const Status status = report(zero ? backend_->write_zeroes(*offset, length) : backend_->discard(*offset, length));
    if (status != Status::kOk) return status;
  }
  return active_.has(kFlush) ? Status::kOk : flush();
}

Blk::Status Blk::report(const Result<>& result) {
  switch (room_.report(result)) {
    case RoomNotice::Verdict::kOk: return Status::kOk;
    case RoomNotice::Verdict::kNoRoom: return Status::kNoRoom;
    case RoomNotice::Verdict::kError: break;
  }
  return Status::kIoError;
}

}  // namespace pileus::virtio
