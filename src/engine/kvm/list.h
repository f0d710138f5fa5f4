// List: the variable-length arguments of KVM's interface: a count, another word, then the entries.
//
// The structures that <linux/kvm.h> has for them end in flexible arrays. In C++ those lie at another place than in C, and
// make the structures larger, whose size is part of the number of the ioctl.
#pragma once

#include <linux/ioctl.h>

#include <cstring>
#include <vector>

#include "base/ints.h"

namespace pileus::engine::kvm {

// The number of an ioctl as C has it, whose argument is `bytes` long.
constexpr unsigned long sized_request(unsigned long request, unsigned long bytes) {
  constexpr unsigned long kMask = static_cast<unsigned long>(_IOC_SIZEMASK) << _IOC_SIZESHIFT;
  return (request & ~kMask) | bytes << _IOC_SIZESHIFT;
}
constexpr unsigned long list_request(unsigned long request) { return sized_request(request, 8); }

template <typename Entry>
class List {
 public:
  explicit List(std::size_t room) : words_(1 + (room * sizeof(Entry) + 7) / 8) { set_size(room); }
  explicit List(const std::vector<Entry>& entries) : List(entries.size()) {
    if (!entries.empty()) std::memcpy(&words_[1], entries.data(), entries.size() * sizeof(Entry));
  }

  void* argument() { return words_.data(); }
  std::vector<Entry> entries() const {
    std::vector<Entry> out(static_cast<u32>(words_[0]));
    if (!out.empty()) std::memcpy(out.data(), &words_[1], out.size() * sizeof(Entry));
    return out;
  }

 private:
  void set_size(std::size_t size) { words_[0] = static_cast<u32>(size); }
  std::vector<u64> words_;
};

}  // namespace pileus::engine::kvm
