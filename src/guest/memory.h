// GuestMemory: the RAM of one VM, as devices and engines see it.
//
// RAM is a short list of regions in guest-physical address space, each backed by one host mapping that lives as long
// as the GuestMemory. Any thread may read and write guest RAM at any time, as real hardware may; what is read is
// hostile: copy once, then validate.
//
// A device must write RAM through write() or call written() after it wrote through span(): the binary translator
// must throw away code it translated from those bytes before the guest can learn that the transfer is done.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"
#include "os/mapping.h"

namespace pileus::guest {

using Gpa = u64;  // guest-physical address

// Told of every write that did not come from a vCPU. Called on the writing thread, after the bytes are in place.
class WriteObserver {
 public:
  virtual ~WriteObserver() = default;
  virtual void on_device_write(Gpa address, u64 length) = 0;
};

class GuestMemory {
 public:
  struct Region {
    Gpa base;
    u64 size;
    u8* host;
  };

  // RAM of `size` bytes: below `hole_start` at address 0, the rest from 4 GiB up. `size` is a multiple of 4 KiB.
  static Result<GuestMemory> create(u64 size, Gpa hole_start);

  GuestMemory(GuestMemory&&) = default;
  GuestMemory& operator=(GuestMemory&&) = delete;

  const std::vector<Region>& regions() const { return regions_; }
  u64 size() const { return mapping_.size(); }
  // The file that the RAM is, for other processes to map, and where in it what lies at `host` is.
  int fd() const { return file_.get(); }
  u64 file_offset(const u8* host) const { return static_cast<u64>(host - mapping_.data()); }
  Gpa end() const { return regions_.back().base + regions_.back().size; }

  // The host address of [address, address + length), or nullptr when any byte of it is not RAM or it spans regions.
  u8* host(Gpa address, u64 length) const {
    for (const Region& region : regions_) {
      if (address >= region.base && address - region.base < region.size &&
          length <= region.size - (address - region.base)) {
        return region.host + (address - region.base);
      }
    }
    return nullptr;
  }
  std::optional<std::span<u8>> span(Gpa address, u64 length) const;

  // False, and nothing is done, when the range is not all RAM.
  [[nodiscard]] bool read(Gpa address, std::span<u8> out) const;
  [[nodiscard]] bool write(Gpa address, std::span<const u8> data);

  // To be called after bytes of [address, address + length) were written through host() or span().
  void written(Gpa address, u64 length) {
    if (observer_ != nullptr) observer_->on_device_write(address, length);
  }

  // One observer, set before any thread that writes starts and cleared after they ended.
  void set_observer(WriteObserver* observer) { observer_ = observer; }

 private:
  GuestMemory(os::Fd file, os::Mapping mapping, std::vector<Region> regions)
      : file_(std::move(file)), mapping_(std::move(mapping)), regions_(std::move(regions)) {}

  os::Fd file_;
  os::Mapping mapping_;
  std::vector<Region> regions_;
  WriteObserver* observer_ = nullptr;
};

}  // namespace pileus::guest
