// Cd: a CD drive behind a port: the PACKET feature set of ATA8-ACS around virtio::CdDrive's commands.
#pragma once

#include <memory>
#include <optional>

#include "ahci/device.h"
#include "virtio/cd_drive.h"

namespace pileus::ahci {

class Cd final : public Device {
 public:
  explicit Cd(std::unique_ptr<virtio::BlockBackend> disc) : drive_(std::move(disc)) {}

  DeviceState signature() const override { return {.error = 1, .count = 1, .lba = 0xEB1401}; }
  bool is_atapi() const override { return true; }
  void reset() override { sense_.reset(); }
  std::optional<Outcome> execute(const Command& command, Transfer& data) override;
  void set_waiting(bool /*waiting*/) override {}  // it only reads

 private:
  Outcome packet(std::span<const u8, 16> packet, Transfer& data);
  bool send_data(const virtio::CdDrive::Answer& answer, Transfer& data);

  virtio::CdDrive drive_;
  std::optional<virtio::Sense> sense_;  // of the packet before, until it is asked for
};

}  // namespace pileus::ahci
