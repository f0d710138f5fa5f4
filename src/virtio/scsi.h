// Scsi: virtio-scsi (virtio 1.2, 5.6) with one logical unit, a CD drive: target 0, LUN 0.
//
// What a firmware boots CDs from, and Linux knows as /dev/sr0. One request queue; commands are done one after the other, so
// there is never one left to abort. Nothing is ever told by the event queue.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "virtio/cd_drive.h"
#include "virtio/device.h"

namespace pileus::virtio {

class Scsi : public Device {
 public:
  explicit Scsi(std::unique_ptr<BlockBackend> disc) : drive_(std::move(disc)) {}

  DeviceId id() const override { return DeviceId::kScsi; }
  u64 features() const override { return 0; }
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  // The driver may choose the sizes of sense data and commands.
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override { active_ = std::move(activation); }
  void reset() override;
  void notify(u16 queue) override;

 private:
  static constexpr u32 kUsualSenseBytes = 96, kUsualCommandBytes = 32;

  // These return how many bytes they wrote, or nothing when the driver broke the rules.
  std::optional<u32> answer_control(const Chain& chain) const;
  std::optional<u32> answer_request(const Chain& chain);
  // Executes the command whose data go to `room` bytes of the chain from `data_at` on.
  std::optional<u32> execute(std::span<const u8, 16> command, const Chain& chain, u64 data_at, u64 room);
  bool send_data(const CdDrive::Answer& answer, const Chain& chain, u64 data_at);

  CdDrive drive_;
  // Written by vCPU threads.
  std::atomic<u32> sense_bytes_{kUsualSenseBytes};
  std::atomic<u32> command_bytes_{kUsualCommandBytes};
  Activation active_;
  Chain chain_;
};

}  // namespace pileus::virtio
