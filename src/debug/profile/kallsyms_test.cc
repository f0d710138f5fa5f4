#include "debug/profile/kallsyms.h"

#include <gtest/gtest.h>

#include <cstring>

namespace pileus::debug {
namespace {

constexpr u64 kBase = 0xFFFFFFFF81000000;
enum class Layout { kPlain, kWithOrder, kOffsetsLast };

// The tables as Linux has them, for functions 64 bytes apart.
class Tables {
 public:
  explicit Tables(std::size_t functions) : count_(functions) {
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

  std::vector<u8> image(Layout layout) {
    const bool offsets_last = layout == Layout::kOffsetsLast;
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
    if (layout == Layout::kWithOrder) {
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
    put(kBase);
  }

  std::size_t count_;
  std::vector<std::string> tokens_;
  std::string names_;
  std::vector<u32> markers_;
  std::vector<u8> image_;
};

class Kallsyms : public ::testing::TestWithParam<std::tuple<std::size_t, Layout>> {};

TEST_P(Kallsyms, FindsAllNames) {
  const auto [count, layout] = GetParam();
  const auto table = parse_kallsyms(Tables(count).image(layout));
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->symbols().size(), count);
  EXPECT_EQ(table->find(kBase), "vfs_read0");
  EXPECT_EQ(table->find(kBase + 64 * 255 + 63), "vfs_read255");
  EXPECT_EQ(table->find(kBase + 64 * (count - 1)), "vfs_read" + std::to_string(count - 1));
  EXPECT_EQ(table->find(kBase + 64 * 7), "vfs_read7" + std::string(200, 'x'));
  EXPECT_EQ(table->find(kBase - 1), "");
  EXPECT_EQ(table->find(0xFFFFFFFFC0000000), "");
}
INSTANTIATE_TEST_SUITE_P(Layouts, Kallsyms,
                         ::testing::Combine(::testing::Values(300, 512, 513, 1025),
                                            ::testing::Values(Layout::kPlain, Layout::kWithOrder,
                                                              Layout::kOffsetsLast)));

// A guest may write what it likes where its tables are.
TEST(KallsymsDamaged, IsRefusedOrReadWithinBounds) {
  const std::vector<u8> good = Tables(600).image(Layout::kPlain);
  u64 state = 1;
  for (int round = 0; round < 3000; ++round) {
    std::vector<u8> bad = good;
    for (int change = 0; change < 4; ++change) {
      state = state * 6364136223846793005 + 1442695040888963407;
      bad[0x1238 + (state >> 33) % (bad.size() - 0x1238)] = static_cast<u8>(state >> 20);
    }
    bad.resize(bad.size() - (state >> 40) % 6000);
    const auto table = parse_kallsyms(bad);
    if (table) {
      EXPECT_LE(table->symbols().size(), 1024);
    }
  }
  EXPECT_FALSE(parse_kallsyms(std::vector<u8>(100000, 0)).has_value());
  EXPECT_FALSE(parse_kallsyms({}).has_value());
}

}  // namespace
}  // namespace pileus::debug
