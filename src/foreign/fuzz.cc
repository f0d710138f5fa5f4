#include "foreign/fuzz.h"

#include "foreign/disk_reader.h"

namespace pileus::foreign {

void fuzz_disk(std::span<const u8> input) {
  constexpr u8 kFormats = 4;
  constexpr int kMostReads = 16;
  if (input.empty()) return;
  std::optional<Format> format;
  if (input[0] < kFormats) format = static_cast<Format>(input[0]);
  const Result<std::unique_ptr<DiskReader>> disk = open_disk(std::make_unique<MemoryInput>(input.subspan(1)), format);
  if (!disk) return;
  const u64 chunk = (*disk)->chunk_size();
  CHECK((*disk)->size() != 0 && (*disk)->size() <= kMaxDisk);
  if (chunk > 4 * kMiB) return;  // they take long, and what they do is the same
  std::vector<u8> out(chunk);
  u64 index = 0;
  for (int i = 0; i < kMostReads; ++i) {
    const Result<u64> data = (*disk)->next_data(index);
    if (!data) return;
    CHECK(*data >= index && *data <= (*disk)->chunk_count());
    if (*data == (*disk)->chunk_count()) return;
    if (!(*disk)->read(*data, out)) return;
    index = *data + 1;
  }
}

}  // namespace pileus::foreign
