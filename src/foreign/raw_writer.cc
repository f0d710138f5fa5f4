#include <unistd.h>

#include "foreign/internal/blocks.h"
#include "foreign/internal/writers.h"

namespace pileus::foreign {
namespace {

constexpr u64 kBlock = 64 * kKiB;

}  // namespace

Result<> write_raw(DiskReader& disk, int fd, const Progress& progress) {
  if (::ftruncate(fd, static_cast<off_t>(disk.size())) != 0) return Error::from_errno("make a disk's file");
  Blocks blocks(disk, kBlock, progress);
  while (const std::optional<Blocks::Block> block = TRY(blocks.next())) {
    const u64 offset = block->index * kBlock;
    TRY(write_at(fd, offset, block->bytes.first(std::min(kBlock, disk.size() - offset))));
  }
  return {};
}

}  // namespace pileus::foreign
