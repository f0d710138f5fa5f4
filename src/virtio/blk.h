// Blk: virtio-blk (virtio 1.2, 5.2), one queue; requests are done one after the other.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "virtio/block_backend.h"
#include "virtio/device.h"

namespace pileus::virtio {

class Blk : public Device {
 public:
  // `serial` is what the guest reads as the disk's id; at most 20 bytes of it are kept.
  // A last, partial sector of the backend is not visible to the guest.
  Blk(std::unique_ptr<BlockBackend> backend, const std::string& serial);

  DeviceId id() const override { return DeviceId::kBlock; }
  u64 features() const override;
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override;
  void reset() override;
  void notify(u16 queue) override;

  BlockBackend& backend() { return *backend_; }
  // On the I/O thread, after the backend's size may have changed: tells the driver.
  void resized();

 private:
  enum class Status : u8 { kOk = 0, kIoError = 1, kUnsupported = 2 };

  // False when the chain has no room for a header or a status: the driver broke the rules.
  bool handle(const Chain& chain);
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
  u64 reported_errors_ = 0;
};

}  // namespace pileus::virtio
