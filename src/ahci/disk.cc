#include "ahci/disk.h"

#include <algorithm>

namespace pileus::ahci {

namespace {

// Commands (ATA8-ACS, annex B).
enum Operation : u8 {
  kDataSetManagement = 0x06,
  kReadSectors = 0x20,
  kReadSectorsExt = 0x24,
  kReadDmaExt = 0x25,
  kReadMultipleExt = 0x29,
  kReadLogExt = 0x2F,
  kWriteSectors = 0x30,
  kWriteSectorsExt = 0x34,
  kWriteDmaExt = 0x35,
  kWriteMultipleExt = 0x39,
  kWriteDmaFuaExt = 0x3D,
  kVerify = 0x40,
  kVerifyExt = 0x42,
  kDiagnose = 0x90,
  kReadMultiple = 0xC4,
  kWriteMultiple = 0xC5,
  kSetMultiple = 0xC6,
  kReadDma = 0xC8,
  kWriteDma = 0xCA,
  kWriteMultipleFuaExt = 0xCE,
  kStandbyImmediate = 0xE0,
  kIdleImmediate = 0xE1,
  kStandby = 0xE2,
  kIdle = 0xE3,
  kCheckPower = 0xE5,
  kSleep = 0xE6,
  kFlushCache = 0xE7,
  kFlushCacheExt = 0xEA,
  kIdentify = 0xEC,
  kSetFeatures = 0xEF,
};

constexpr u8 kActive = 0xFF;  // what CHECK POWER MODE says
constexpr u64 kMostSectors28 = 256, kMostSectors48 = 65536;

Sector make_queue_error(const Outcome& outcome, u64 lba, u32 tag);

}  // namespace

Disk::Disk(std::unique_ptr<virtio::BlockBackend> backend, const std::string& serial, virtio::OnRoom on_room)
    : backend_(std::move(backend)), serial_(serial.substr(0, 20)), room_(serial_, std::move(on_room)) {}

void Disk::reset() {
  write_cache_ = true;
  multiple_ = kMaxMultiple;
}

std::optional<Outcome> Disk::execute(const Command& command, Transfer& data) {
  const Registers& registers = command.registers;
  if (registers.command == kReadQueued) return run_queued(registers, data, false);
  if (registers.command == kWriteQueued) return run_queued(registers, data, true);
  return run(registers, data);
}

namespace {

// Nothing for an address by cylinders and heads, which no system with an AHCI driver uses.
std::optional<SectorRange> short_range(const Registers& registers) {
  if ((registers.device & kDeviceLba) == 0) return std::nullopt;
  const u64 first = (registers.lba & 0xFFFFFF) | u64{registers.device & 0xFu} << 24;
  const u64 count = registers.count & 0xFF;
  return SectorRange{first, count == 0 ? kMostSectors28 : count};
}

SectorRange long_range(const Registers& registers) {
  return {registers.lba, registers.count == 0 ? kMostSectors48 : registers.count};
}

}  // namespace

std::optional<Outcome> Disk::run(const Registers& registers, Transfer& data) {
  switch (registers.command) {
    case kIdentify:
      return send(identify_disk({serial_, sectors(), !backend_->read_only(), write_cache_, multiple_}), data);
    case kReadDma: return read(short_range(registers), data, Told::kRegisters);
    case kReadDmaExt: return read(long_range(registers), data, Told::kRegisters);
    case kReadSectors:
    case kReadMultiple: return read(short_range(registers), data, Told::kPioSetup);
    case kReadSectorsExt:
    case kReadMultipleExt: return read(long_range(registers), data, Told::kPioSetup);
    case kWriteDma:
    case kWriteSectors:
    case kWriteMultiple: return write(short_range(registers), data, false);
    case kWriteDmaExt:
    case kWriteSectorsExt:
    case kWriteMultipleExt: return write(long_range(registers), data, false);
    case kWriteDmaFuaExt:
    case kWriteMultipleFuaExt: return write(long_range(registers), data, true);
    case kVerify: return verify(short_range(registers));
    case kVerifyExt: return verify(long_range(registers));
    case kFlushCache:
    case kFlushCacheExt: return flush();
    case kDataSetManagement: return trim(registers, data);
    case kReadLogExt: return read_log(registers, data);
    case kSetFeatures: return set_features(registers);
    case kSetMultiple: return set_multiple(registers);
    case kDiagnose: return Outcome{.state = signature()};
    case kCheckPower: return Outcome{.state = {.count = kActive}};
    case kStandbyImmediate:
    case kIdleImmediate:
    case kStandby:
    case kIdle:
    case kSleep: return Outcome{};
    default: return failure(kErrorAborted);
  }
}

// The count is where others have features; the tag is in its place, and forced unit access in the device's (ATA8-ACS, 7.39).
std::optional<Outcome> Disk::run_queued(const Registers& registers, Transfer& data, bool write) {
  constexpr u8 kForced = 0x80;
  const SectorRange range{registers.lba, registers.features == 0 ? kMostSectors48 : registers.features};
  const u32 tag = registers.count >> 3 & 0x1F;
  const bool forced = (registers.device & kForced) != 0;
  const Status status = write ? write_range(range, data, forced) : read_range(range, data);
  std::optional<Outcome> outcome = end(status, range.count * kSectorBytes, Told::kSetBits);
  if (!outcome) return outcome;
  outcome->tag = tag;
  if (outcome->failed()) queue_error_ = make_queue_error(*outcome, registers.lba, tag);
  return outcome;
}

std::optional<Outcome> Disk::end(Status status, u64 bytes, Told told) {
  Outcome outcome{.told = told};
  switch (status) {
    case Status::kNoRoom: return std::nullopt;
    case Status::kOk: outcome.bytes = bytes; return outcome;
    case Status::kAborted: outcome.state.error = kErrorAborted; break;
    case Status::kNotFound: outcome.state.error = kErrorNotFound; break;
    case Status::kError: outcome.state.error = kErrorUncorrectable; break;
  }
  outcome.state.status |= kStatusError;
  // A command by PIO that fails has no block of data to announce.
  if (told == Told::kPioSetup) outcome.told = Told::kRegisters;
  return outcome;
}

std::optional<Outcome> Disk::read(const std::optional<SectorRange>& range, Transfer& data, Told told) {
  if (!range) return failure(kErrorAborted);
  return end(read_range(*range, data), range->count * kSectorBytes, told);
}

std::optional<Outcome> Disk::write(const std::optional<SectorRange>& range, Transfer& data, bool forced) {
  if (!range) return failure(kErrorAborted);
  return end(write_range(*range, data, forced), range->count * kSectorBytes, Told::kRegisters);
}

std::optional<Outcome> Disk::verify(const std::optional<SectorRange>& range) {
  if (!range) return failure(kErrorAborted);
  const bool inside = range->first <= sectors() && range->count <= sectors() - range->first;
  return inside ? Outcome{} : failure(kErrorNotFound);
}

std::optional<Outcome> Disk::flush() { return end(report(backend_->flush()), 0, Told::kRegisters); }

std::optional<Outcome> Disk::send(const Sector& sector, Transfer& data) {
  if (!data.put(sector)) return failure(kErrorAborted);
  return Outcome{.told = Told::kPioSetup, .bytes = sector.size()};
}

Disk::Status Disk::check(const SectorRange& range, const Transfer& data) const {
  if (range.first > sectors() || range.count > sectors() - range.first) return Status::kNotFound;
  return range.count * kSectorBytes > data.capacity() ? Status::kAborted : Status::kOk;
}

Disk::Status Disk::read_range(const SectorRange& range, Transfer& data) {
  if (const Status status = check(range, data); status != Status::kOk) return status;
  u64 offset = range.first * kSectorBytes;
  const bool done = data.fill(range.count * kSectorBytes, [&](std::span<u8> piece) {
    const bool ok = report(backend_->read(offset, piece)) == Status::kOk;
    offset += piece.size();
    return ok;
  });
  return done ? Status::kOk : Status::kError;
}

Disk::Status Disk::write_range(const SectorRange& range, const Transfer& data, bool forced) {
  if (backend_->read_only()) return Status::kAborted;
  Status status = check(range, data);
  if (status != Status::kOk) return status;
  u64 offset = range.first * kSectorBytes;
  data.take(range.count * kSectorBytes, [&](std::span<const u8> piece) {
    status = report(backend_->write(offset, piece));
    offset += piece.size();
    return status == Status::kOk;
  });
  if (status != Status::kOk || (write_cache_ && !forced)) return status;
  return report(backend_->flush());
}

Disk::Status Disk::report(const Result<>& result) {
  switch (room_.report(result)) {
    case virtio::RoomNotice::Verdict::kOk: return Status::kOk;
    case virtio::RoomNotice::Verdict::kNoRoom: return Status::kNoRoom;
    case virtio::RoomNotice::Verdict::kError: break;
  }
  return Status::kError;
}

// ATA8-ACS, 7.5: blocks of 64 ranges, each of 48 bits of address and 16 of length; a length of zero is none.
std::optional<Outcome> Disk::trim(const Registers& registers, Transfer& data) {
  constexpr u16 kTrim = 1;
  constexpr unsigned kCountShift = 48;
  if ((registers.features & 0xFF) != kTrim || registers.count == 0 || registers.count > kTrimBlocks ||
      backend_->read_only()) {
    return failure(kErrorAborted);
  }
  std::vector<u8> blocks(registers.count * kSectorBytes);
  if (!data.get(blocks)) return failure(kErrorAborted);
  for (std::size_t at = 0; at < blocks.size(); at += sizeof(u64)) {
    u64 entry = 0;
    for (unsigned i = 0; i < sizeof entry; ++i) entry |= u64{blocks[at + i]} << 8 * i;
    const u64 first = entry & ((u64{1} << kCountShift) - 1), count = entry >> kCountShift;
    if (count == 0) continue;
    if (first > sectors() || count > sectors() - first) return failure(kErrorNotFound);
    const Status status = report(backend_->discard(first * kSectorBytes, count * kSectorBytes));
    if (status != Status::kOk) return end(status, 0, Told::kRegisters);
  }
  return end(write_cache_ ? Status::kOk : report(backend_->flush()), blocks.size(), Told::kRegisters);
}

// ATA8-ACS, 7.29 and annex A: the directory of logs, and the one that tells which queued command failed.
std::optional<Outcome> Disk::read_log(const Registers& registers, Transfer& data) {
  constexpr u8 kDirectory = 0x00, kQueueError = 0x10;
  const auto log = static_cast<u8>(registers.lba);
  const auto page = static_cast<u16>((registers.lba >> 8 & 0xFF) | (registers.lba >> 32 & 0xFF) << 8);
  if (registers.count != 1 || page != 0) return failure(kErrorAborted);
  if (log == kQueueError) return send(queue_error_, data);
  if (log != kDirectory) return failure(kErrorAborted);
  Sector directory{};
  directory[0] = 1;  // version
  directory[2 * kQueueError] = 1;  // pages of it
  return send(directory, data);
}

std::optional<Outcome> Disk::set_features(const Registers& registers) {
  enum Feature : u8 {
    kCacheOn = 0x02,
    kTransferMode = 0x03,
    kLookAheadOff = 0x55,
    kCacheOff = 0x82,
    kLookAheadOn = 0xAA
  };
  switch (static_cast<u8>(registers.features)) {
    case kCacheOn: write_cache_ = true; return Outcome{};
    case kCacheOff: {
      write_cache_ = false;
      return flush();
    }
    case kTransferMode:
    case kLookAheadOff:
    case kLookAheadOn: return Outcome{};
    default: return failure(kErrorAborted);
  }
}

std::optional<Outcome> Disk::set_multiple(const Registers& registers) {
  const u16 count = registers.count & 0xFF;
  if (count > kMaxMultiple || (count & (count - 1)) != 0) return failure(kErrorAborted);
  multiple_ = count;
  return Outcome{};
}

namespace {

// ATA8-ACS, A.7.
Sector make_queue_error(const Outcome& outcome, u64 lba, u32 tag) {
  Sector log{};
  log[0] = static_cast<u8>(tag);
  log[2] = outcome.state.status;
  log[3] = outcome.state.error;
  for (unsigned i = 0; i < 3; ++i) {
    log[4 + i] = static_cast<u8>(lba >> 8 * i);
    log[8 + i] = static_cast<u8>(lba >> (24 + 8 * i));
  }
  log[7] = kDeviceLba;
  u8 sum = 0;
  for (const u8 byte : log) sum = static_cast<u8>(sum + byte);
  log.back() = static_cast<u8>(-sum);
  return log;
}

}  // namespace

}  // namespace pileus::ahci
