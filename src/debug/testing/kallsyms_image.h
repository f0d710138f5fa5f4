// Symbol tables as Linux has them in its memory (profile/kallsyms.h), for tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/ints.h"

namespace pileus::debug::testing {

inline constexpr u64 kKallsymsBase = 0xFFFFFFFF81000000;
enum class KallsymsLayout { kPlain, kWithOrder, kOffsetsLast };

// The tables as Linux has them, for functions 64 bytes apart.
class KallsymsImage {
 public:
  explicit KallsymsImage(std::size_t functions) : count_(functions) {
    for (unsigned i = 0; i < 256; ++i) {
      const bool itself = (i >= '0' && i <= '9') || i == '_' || (i >= 'A' && i <= 'z');
      tokens_.push_back(itself ? std::string(1, static_cast<char>(i)) : "z" + std::to_string(i));
    }
    tokens_[200] = "vfs_";
    for (std::size_t i = 0; i < count_; ++i) {
      markers_.push_back(static_cast<u32>(names_.size()));
      const std::string name =
          "T\xC8"
          "read" +
          std::to_string(i) + (i == 7 ? std::string(200, 'x') : "");
      const std::size_t length = name.size();
      if (length >= 128) names_ += static_cast<char>(length | 0x80);
      names_ += static_cast<char>(length >= 128 ? length >> 7 : length);
      names_ += name;
    }
  }

  std::vector<u8> image(KallsymsLayout layout) {
    const bool offsets_last = layout == KallsymsLayout::kOffsetsLast;
    image_.assign(0x1238, 0xAA);
    image_.resize(0x2000, 0);
    if (!offsets_last) put_offsets();
    align();
    put(static_cast<u32>(count_));
    align();
    put_bytes(names_);
    align();
    for (std::size_t i = 0; i < count_; i += 256) put(markers_[i]);
    align();
    if (layout == KallsymsLayout::kWithOrder) {
      for (std::size_t i = 0; i < count_; ++i) put_bytes({'\0', static_cast<char>(i >> 8), static_cast<char>(i)});
      align();
    }
    std::vector<u16> places;
    const std::size_t start = image_.size();
    for (const std::string& token : tokens_) {
      places.push_back(static_cast<u16>(image_.size() - start));
      put_bytes(token + '\0');
    }
    align();
    for (const u16 place : places) put(place);
    align();
    if (offsets_last) put_offsets();
    image_.resize(image_.size() + 4096, 0);
    return image_;
  }

 private:
  template <typename T>
  void put(T value) {
    image_.resize(image_.size() + sizeof value);
    std::memcpy(image_.data() + image_.size() - sizeof value, &value, sizeof value);
  }
  void put_bytes(const std::string& text) { image_.insert(image_.end(), text.begin(), text.end()); }
  void align() { image_.resize((image_.size() + 7) / 8 * 8, 0); }
  void put_offsets() {
    align();
    for (std::size_t i = 0; i < count_; ++i) put(static_cast<i32>(-1 - static_cast<i32>(64 * i)));
    align();
    put(kKallsymsBase);
  }

  std::size_t count_;
  std::vector<std::string> tokens_;
  std::string names_;
  std::vector<u32> markers_;
  std::vector<u8> image_;
};

}  // namespace pileus::debug::testing
