#include "os/mapping.h"

#include <sys/mman.h>

namespace pileus::os {

namespace {
constexpr u64 kPage = 4096, kHugePage = 2 * kMiB;

Result<u8*> map(u64 size, int protection, int flags, int fd, u64 offset) {
  void* data = ::mmap(nullptr, size, protection, flags, fd, static_cast<off_t>(offset));
  if (data == MAP_FAILED) return Error::from_errno("map " + std::to_string(size >> 20) + " MiB of memory");
  return static_cast<u8*>(data);
}
}  // namespace

Result<Mapping> Mapping::anonymous(u64 size, bool executable) {
  const int protection = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
  u8* data = TRY(map(size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  ::madvise(data, size, MADV_DONTFORK);
  return Mapping(data, size);
}

Result<Mapping> Mapping::inaccessible(u64 size) {
  u8* data = TRY(map(size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  return Mapping(data, size);
}

Result<Mapping> Mapping::file(int fd, u64 offset, u64 size, bool writable) {
  const int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  if (size < kHugePage) return Mapping(TRY(map(size, protection, MAP_SHARED, fd, offset)), size);
  // Address space that holds an aligned start, of which what is not needed goes back.
  Mapping space = TRY(inaccessible(size + kHugePage));
  u8* const data =
      space.data_ + (align_up(reinterpret_cast<u64>(space.data_), kHugePage) - reinterpret_cast<u64>(space.data_));
  if (::mmap(data, size, protection, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(offset)) == MAP_FAILED) {
    return Error::from_errno("map " + std::to_string(size >> 20) + " MiB of memory");
  }
  const u64 before = static_cast<u64>(data - space.data_);
  if (before != 0) ::munmap(space.data_, before);
  ::munmap(data + align_up(size, kPage), kHugePage - before);
  space.data_ = data;
  space.size_ = size;
  return space;
}

void Mapping::use_huge_pages() { ::madvise(data_, size_, MADV_HUGEPAGE); }
void Mapping::keep_out_of_dumps() { ::madvise(data_, size_, MADV_DONTDUMP); }

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace pileus::os
