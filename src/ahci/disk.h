// Disk: a hard disk behind a port: ATA8-ACS commands over a BlockBackend, with native queuing and TRIM.
//
// A change for which the backend has no room (kExhausted) waits, as virtio::Blk's does.
#pragma once

#include <memory>
#include <string>

#include "ahci/device.h"
#include "ahci/identify.h"
#include "virtio/block_backend.h"
#include "virtio/guest_disk.h"
#include "virtio/room_notice.h"

namespace pileus::ahci {

struct SectorRange {
  u64 first = 0;
  u64 count = 0;
};

class Disk final : public Device, public virtio::GuestDisk {
 public:
  // `serial` is what the guest reads as the disk's serial number; at most 20 bytes of it are kept. A last, partial sector of
  // the backend is not visible to the guest.
  Disk(std::unique_ptr<virtio::BlockBackend> backend, const std::string& serial, virtio::OnRoom on_room = {});

  DeviceState signature() const override { return {.error = 1, .count = 1, .lba = 1}; }
  bool is_atapi() const override { return false; }
  void reset() override;
  std::optional<Outcome> execute(const Command& command, Transfer& data) override;
  void set_waiting(bool waiting) override { room_.tell(waiting); }

  virtio::BlockBackend& backend() override { return *backend_; }
  // A SATA disk cannot tell: the guest sees the size when it asks.
  void resized() override {}

 private:
  enum class Status { kOk, kAborted, kNotFound, kError, kNoRoom };
  using Told = Outcome::Told;

  u64 sectors() const { return backend_->size() / kSectorBytes; }
  std::optional<Outcome> run(const Registers& registers, Transfer& data);
  std::optional<Outcome> run_queued(const Registers& registers, Transfer& data, bool write);
  std::optional<Outcome> end(Status status, u64 bytes, Told told);
  std::optional<Outcome> read(const std::optional<SectorRange>& range, Transfer& data, Told told);
  std::optional<Outcome> write(const std::optional<SectorRange>& range, Transfer& data, bool forced);
  std::optional<Outcome> verify(const std::optional<SectorRange>& range);
  std::optional<Outcome> flush();
  std::optional<Outcome> send(const Sector& sector, Transfer& data);
  std::optional<Outcome> read_log(const Registers& registers, Transfer& data);
  std::optional<Outcome> trim(const Registers& registers, Transfer& data);
  std::optional<Outcome> set_features(const Registers& registers);
  std::optional<Outcome> set_multiple(const Registers& registers);

  Status read_range(const SectorRange& range, Transfer& data);
  Status write_range(const SectorRange& range, const Transfer& data, bool forced);
  Status check(const SectorRange& range, const Transfer& data) const;
  Status report(const Result<>& result);

  std::unique_ptr<virtio::BlockBackend> backend_;
  const std::string serial_;
  virtio::RoomNotice room_;
  bool write_cache_ = true;
  u16 multiple_ = kMaxMultiple;
  Sector queue_error_{};  // the log of the queued command that failed last
};

}  // namespace pileus::ahci
