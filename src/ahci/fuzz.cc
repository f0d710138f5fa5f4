#include "ahci/fuzz.h"

#include "ahci/cd.h"
#include "ahci/disk.h"
#include "ahci/port.h"
#include "virtio/fake_disk.h"

namespace pileus::ahci {

namespace {

constexpr u64 kRam = 64 * kKiB, kDrive = 256 * kKiB;
constexpr std::size_t kHeader = 2, kStep = 5;
constexpr unsigned kCommandsPerStep = 8;

std::unique_ptr<Device> make_device(u8 kind) {
  auto backend = std::make_unique<virtio::testing::FakeDisk>(kDrive);
  if (kind % 2 == 0) return std::make_unique<Disk>(std::move(backend), "fuzz");
  return std::make_unique<Cd>(std::move(backend));
}

}  // namespace

void fuzz_port(std::span<const u8> input) {
  if (input.size() < kHeader) return;
  const std::size_t steps = std::min<std::size_t>(input[1], (input.size() - kHeader) / kStep);
  auto memory = guest::GuestMemory::create(kRam, kRam);
  CHECK(memory.ok());
  const std::span<const u8> ram = input.subspan(kHeader + steps * kStep);
  CHECK(memory->write(0, ram.first(std::min<std::size_t>(ram.size(), kRam))));
  std::mutex lock;
  Port port(*memory, lock);
  port.power_on();
  port.plug(make_device(input[0]));
  for (std::size_t i = 0; i < steps; ++i) {
    const std::span<const u8> step = input.subspan(kHeader + i * kStep, kStep);
    const u32 value = u32{step[1]} | u32{step[2]} << 8 | u32{step[3]} << 16 | u32{step[4]} << 24;
    port.write(u64{step[0]} % (kPortBytes / 4) * 4, value);
    for (unsigned left = kCommandsPerStep; left > 0 && port.step(); --left) {
    }
  }
}

}  // namespace pileus::ahci
