// PageMap: virtual pages of an address space, and what a worker sees there.
//
// A program that computes has tens of thousands of them, so they are kept in groups of neighbours, which come and go
// together: some ten bytes for each page, a sixth of what a table of single pages takes.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/ints.h"

namespace pileus::engine::bt::direct {

class PageMap {
 public:
  static constexpr u64 kPageBytes = 4096, kGroupPages = 16, kGroupBytes = kPageBytes * kGroupPages;

  struct Page {
    u64 gpa = 0;
    int protection = PROT_NONE;  // PROT_NONE: there is no page
    explicit operator bool() const { return protection != PROT_NONE; }
  };

  std::size_t size() const { return size_; }

  Page find(u64 va) const {
    const auto at = groups_.find(va / kGroupBytes);
    return at == groups_.end() ? Page{} : unpack(at->second[index(va)]);
  }

  void set(u64 va, Page page) {
    u64& entry = groups_[va / kGroupBytes][index(va)];
    if (entry == 0) ++size_;
    entry = page.gpa | static_cast<u64>(page.protection);
  }

  // Whether there was one.
  bool erase(u64 va) {
    const auto at = groups_.find(va / kGroupBytes);
    if (at == groups_.end() || at->second[index(va)] == 0) return false;
    at->second[index(va)] = 0;
    --size_;
    if (is_empty(at->second)) groups_.erase(at);
    return true;
  }

  void clear() {
    groups_.clear();
    size_ = 0;
  }

  // Erases the pages for which `keep(va, page)` is false; neighbours are looked at in the order of their addresses.
  template <typename Keep>
  void keep_if(Keep&& keep) {
    for (auto at = groups_.begin(); at != groups_.end();) {
      auto& [number, group] = *at;
      for (u64 i = 0; i < kGroupPages; ++i) {
        if (group[i] == 0 || keep(number * kGroupBytes + i * kPageBytes, unpack(group[i]))) continue;
        group[i] = 0;
        --size_;
      }
      at = is_empty(group) ? groups_.erase(at) : std::next(at);
    }
  }

 private:
  // For each page its guest-physical address, and in the bits below that its protection; 0: there is none.
  using Group = std::array<u64, kGroupPages>;
  static_assert((PROT_READ | PROT_WRITE | PROT_EXEC) < kPageBytes);

  static std::size_t index(u64 va) { return va / kPageBytes % kGroupPages; }
  static Page unpack(u64 entry) { return {entry & ~(kPageBytes - 1), static_cast<int>(entry & (kPageBytes - 1))}; }
  static bool is_empty(const Group& group) {
    return std::ranges::all_of(group, [](u64 entry) { return entry == 0; });
  }

  std::unordered_map<u64, Group> groups_;
  std::size_t size_ = 0;
};

}  // namespace pileus::engine::bt::direct
