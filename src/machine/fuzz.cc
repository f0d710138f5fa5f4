#include "machine/fuzz.h"

#include <string_view>

#include "machine/diskboot/bls_entry.h"
#include "machine/diskboot/grub_config.h"
#include "machine/diskboot/memory_disk.h"
#include "machine/diskboot/partition_table.h"
#include "machine/loader/bzimage.h"
#include "machine/loader/decompress.h"
#include "machine/loader/elf.h"
#include "machine/loader/multiboot.h"

namespace pileus::machine {

void fuzz_elf(std::span<const u8> input) {
  const auto image = parse_elf(input);
  if (!image) return;
  for (const ElfSegment& segment : image->segments) {
    CHECK(slice(input, segment.file_offset, segment.file_size).has_value());
    CHECK(segment.file_size <= segment.memory_size);
    CHECK(checked_add(segment.address, segment.memory_size).has_value());
  }
}

void fuzz_multiboot(std::span<const u8> input) {
  auto memory = guest::GuestMemory::create(4 * kMiB, 4 * kMiB);
  CHECK(memory.ok());
  const auto state = load_multiboot(*memory, {input, "fuzz", {}});
  if (!state) return;
  CHECK(looks_like_multiboot(input) || looks_like_bzimage(input));
  CHECK(state->rip < memory->size());
}

void fuzz_bzimage(std::span<const u8> input) {
  const auto image = parse_bzimage(input);
  if (!image) return;
  std::vector<u8> unpacked;
  const Result<> done = decompress(image->payload, kMiB, [&](Bytes piece) -> Result<> {
    unpacked.insert(unpacked.end(), piece.begin(), piece.end());
    return {};
  });
  if (!done) return;
  CHECK(unpacked.size() <= kMiB);
  fuzz_elf(unpacked);
}

void fuzz_partition_table(std::span<const u8> input) {
  MemoryDisk disk(input);
  const auto partitions = read_partitions(disk);
  if (!partitions) return;
  for (const Partition& partition : *partitions) {
    CHECK(partition.offset <= input.size() && partition.length <= input.size() - partition.offset);
  }
}

void fuzz_grub_cfg(std::span<const u8> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const Variables variables = parse_grub_environment(text);
  static_cast<void>(parse_grub_config(text, variables).ok());
  static_cast<void>(parse_bls_entry(text, variables).ok());
}

}  // namespace pileus::machine
