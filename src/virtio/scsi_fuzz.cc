#include "virtio/scsi_fuzz.h"

#include "virtio/empty_disk.h"
#include "virtio/fake_driver.h"
#include "virtio/scsi.h"

namespace pileus::virtio {

void fuzz_scsi(std::span<const u8> input) {
  constexpr u64 kHeader = 4;
  constexpr u64 kDisc = 16 * CdDrive::kSector;
  constexpr guest::Gpa kRequest = testing::FakeDriver::kBuffersAt, kAnswer = kRequest + 0x10000;
  if (input.size() <= kHeader) return;
  const u16 queue = input[0] % 3;
  const u32 room = u32{input[2]} | u32{input[3]} << 8;
  const std::span<const u8> request = input.subspan(kHeader);
  Scsi device(std::make_unique<EmptyDisk>(kDisc));
  testing::FakeDriver driver(device);
  driver.put(kRequest, request);
  driver.queues[queue].add({{kRequest, static_cast<u32>(request.size()), false}, {kAnswer, room + 1, true}});
  device.notify(queue);
}

}  // namespace pileus::virtio
