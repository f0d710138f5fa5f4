// Mapping: owner of one mmap()ed range; unmaps it when destroyed.
#pragma once

#include <utility>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::os {

class Mapping {
 public:
  Mapping() = default;
  // Zeroed anonymous memory of `size` bytes, a multiple of the page size. Nothing is committed until touched.
  // `executable` adds PROT_EXEC. Children do not get it, so forking costs nothing for it.
  static Result<Mapping> anonymous(u64 size, bool executable = false);
  // Address space that faults when touched.
  static Result<Mapping> inaccessible(u64 size);
  // `size` bytes of file `fd` from `offset`, shared, readable and, if asked, writable. From 2 MiB on it begins at a multiple
  // of that, so that the kernel may use pages of that size.
  static Result<Mapping> file(int fd, u64 offset, u64 size, bool writable);

  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  // Asks for pages of 2 MiB where the kernel has them: fewer TLB misses, more memory for what is touched sparsely.
  void use_huge_pages();
  // Leaves it out of core files; which also keeps it a mapping of its own in /proc/PID/smaps.
  void keep_out_of_dumps();

  u8* data() const { return data_; }
  u64 size() const { return size_; }

 private:
  Mapping(u8* data, u64 size) : data_(data), size_(size) {}
  u8* data_ = nullptr;
  u64 size_ = 0;
};

}  // namespace pileus::os
