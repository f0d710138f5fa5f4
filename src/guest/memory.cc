#include "guest/memory.h"

#include <algorithm>

#include "os/file.h"

namespace pileus::guest {

namespace {
constexpr Gpa kHighBase = 4 * kGiB;
constexpr u64 kPage = 4096;
}  // namespace

Result<GuestMemory> GuestMemory::create(u64 size, Gpa hole_start) {
  if (size == 0 || size % kPage != 0) {
    return Error(ErrorCode::kInvalid, "guest memory must be a multiple of 4 KiB and not zero");
  }
  os::Fd file = TRY(os::anonymous_file("pileus-ram", size));
  os::Mapping mapping = TRY(os::Mapping::file(file.get(), 0, size, true));
  mapping.keep_out_of_dumps();
  const u64 low = std::min(size, hole_start);
  std::vector<Region> regions{{0, low, mapping.data()}};
  if (size > low) regions.push_back({kHighBase, size - low, mapping.data() + low});
  return GuestMemory(std::move(file), std::move(mapping), std::move(regions));
}

std::optional<std::span<u8>> GuestMemory::span(Gpa address, u64 length) const {
  u8* data = host(address, length);
  if (data == nullptr) return std::nullopt;
  return std::span<u8>(data, length);
}

// Below, std::copy: an empty span's data may be null, which memcpy() must not get.
bool GuestMemory::read(Gpa address, std::span<u8> out) const {
  const u8* data = host(address, out.size());
  if (data == nullptr) return false;
  std::copy_n(data, out.size(), out.data());
  return true;
}

bool GuestMemory::write(Gpa address, std::span<const u8> data) {
  u8* target = host(address, data.size());
  if (target == nullptr) return false;
  std::copy(data.begin(), data.end(), target);
  written(address, data.size());
  return true;
}

}  // namespace pileus::guest
