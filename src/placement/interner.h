// Numbers for names, counted from 0 and never given back: labels, engines and CPU models are few.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ints.h"

namespace pileus::placement {

class Interner {
 public:
  static constexpr u32 kUnknown = UINT32_MAX;

  u32 intern(std::string_view text) {
    const auto [found, added] = numbers_.try_emplace(std::string(text), static_cast<u32>(names_.size()));
    if (added) names_.emplace_back(text);
    return found->second;
  }
  // kUnknown when nobody has that name.
  u32 find(std::string_view text) const {
    const auto found = numbers_.find(std::string(text));
    return found == numbers_.end() ? kUnknown : found->second;
  }
  const std::string& text(u32 number) const { return names_[number]; }

 private:
  std::unordered_map<std::string, u32> numbers_;
  std::vector<std::string> names_;
};

}  // namespace pileus::placement
