#include "guest/message_source.h"

#include <gtest/gtest.h>

#include <vector>

namespace pileus::guest {
namespace {

struct Sink final : MsiSink {
  void signal_msi(u64 address, u32 data) override { messages.push_back({address, data}); }
  std::vector<MsiMessage> messages;
};

constexpr MsiMessage kFirst{0xFEE00000, 0x40}, kSecond{0xFEE01000, 0x41};

TEST(MessageSource, SendsByItsRoute) {
  Sink sink;
  const std::unique_ptr<MsiSource> source = sink.make_source();
  source->set_route(kFirst);
  source->signal();
  source->set_route(kSecond);
  source->signal();
  source->signal();
  EXPECT_EQ(sink.messages, (std::vector{kFirst, kSecond, kSecond}));
  EXPECT_FALSE(source->pending());
}

TEST(MessageSource, KeepsOneSignalWithoutARoute) {
  Sink sink;
  const std::unique_ptr<MsiSource> source = sink.make_source();
  source->signal();
  source->signal();
  EXPECT_TRUE(source->pending());
  EXPECT_TRUE(sink.messages.empty());
  source->set_route(kFirst);
  EXPECT_FALSE(source->pending());
  source->set_route(std::nullopt);
  source->set_route(kSecond);
  EXPECT_EQ(sink.messages, std::vector{kFirst});
}

TEST(MessageSource, ForgetsWhatItKept) {
  Sink sink;
  const std::unique_ptr<MsiSource> source = sink.make_source();
  source->signal();
  source->forget();
  EXPECT_FALSE(source->pending());
  source->set_route(kFirst);
  EXPECT_TRUE(sink.messages.empty());
}

TEST(MsiMessage, ReachesTheApicsBelow4GiBOnly) {
  EXPECT_TRUE(is_interrupt({0xFEE00000, 0}));
  EXPECT_TRUE(is_interrupt({0xFEEFFFFC, 0}));
  EXPECT_FALSE(is_interrupt({0xFEF00000, 0}));
  EXPECT_FALSE(is_interrupt({0, 0}));
  EXPECT_FALSE(is_interrupt({0x1'FEE00000, 0}));
}

}  // namespace
}  // namespace pileus::guest
