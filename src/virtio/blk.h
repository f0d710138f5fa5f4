// Blk: virtio-blk (virtio 1.2, 5.2), one queue; requests are done one after the other.
//
// A change for which the backend has no room (kExhausted) is no error to the guest: the request is kept and tried again about
// every second, while others go on. Linux waits for virtio-blk without a limit.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "virtio/block_backend.h"
#include "virtio/device.h"
#include "virtio/guest_disk.h"
#include "virtio/room_notice.h"

namespace pileus::virtio {

class Blk : public Device, public GuestDisk {
 public:
  // `serial` is what the guest reads as the disk's id; at most 20 bytes of it are kept.
  // A last, partial sector of the backend is not visible to the guest.
  Blk(std::unique_ptr<BlockBackend> backend, const std::string& serial, OnRoom on_room = {});

  DeviceId id() const override { return DeviceId::kBlock; }
  u64 features() const override;
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override;
  void reset() override;
  void notify(u16 queue) override;

  BlockBackend& backend() override { return *backend_; }
  void resized() override;

 private:
  // What the driver is told (5.2.6); it is not told kNoRoom.
  enum class Status : u8 { kOk = 0, kIoError = 1, kUnsupported = 2, kNoRoom = 0xFF };

  // The bytes written; nothing when the request has to wait for room.
  std::optional<u32> handle(u16 queue, const Chain& chain);
  // Those that were kept, until one has to wait on.
  void try_kept(u16 queue);
  Status execute(u32 type, u64 sector, const Chain& chain);
  Status read(u64 sector, const Chain& chain);
  Status write(u64 sector, const Chain& chain);
  Status flush();
  Status get_id(const Chain& chain);
  Status erase(u32 type, const Chain& chain);
  Status report(const Result<>& result);

  std::unique_ptr<BlockBackend> backend_;
  std::string serial_;
  std::atomic<u64> sectors_;  // changed by the I/O thread
  Activation active_;
  Chain chain_;
  std::deque<Chain> kept_;  // wait for room, the oldest first
  RoomNotice room_;
};

}  // namespace pileus::virtio
