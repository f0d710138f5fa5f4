// Rng: virtio entropy device (virtio 1.2, 5.4), fed by the host's getrandom().
#pragma once

#include "virtio/device.h"

namespace pileus::virtio {

class Rng : public Device {
 public:
  DeviceId id() const override { return DeviceId::kEntropy; }
  u64 features() const override { return 0; }
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override;
  void reset() override;
  void notify(u16 queue) override;

 private:
  Activation active_;
  Chain chain_;
};

}  // namespace pileus::virtio
