#include "virtio/console.h"

#include <gtest/gtest.h>

#include <string>

#include "virtio/fake_driver.h"

namespace pileus::virtio {
namespace {

using testing::FakeDriver;

class FakeChars : public guest::CharBackend {
 public:
  void write(std::span<const u8> data) override { written.append(data.begin(), data.end()); }
  void set_input(Input new_input) override { input = std::move(new_input); }
  void type(const std::string& text) {
    input(std::span<const u8>(reinterpret_cast<const u8*>(text.data()), text.size()));
  }
  std::string written;
  Input input;
};

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleTest() : loop_(std::move(os::EventLoop::create()).value()), console_(chars_, *loop_) {}
  // Runs what was posted, on this thread.
  void run_posted() {
    loop_->stop();
    loop_->run();
  }

  FakeChars chars_;
  std::unique_ptr<os::EventLoop> loop_;
  Console console_;
};

TEST_F(ConsoleTest, SendsWhatTheGuestWrites) {
  FakeDriver driver(console_);
  const std::string text = "hello world";
  driver.put(FakeDriver::kBuffersAt, {reinterpret_cast<const u8*>(text.data()), text.size()});
  driver.queues[1].add({{FakeDriver::kBuffersAt, 6, false}, {FakeDriver::kBuffersAt + 6, 5, false}});
  console_.notify(1);
  EXPECT_EQ(chars_.written, text);
  EXPECT_TRUE(driver.queues[1].take_used());
}

TEST_F(ConsoleTest, InputWaitsForBuffersAndIsCutToTheirSize) {
  chars_.type("abcdef");
  run_posted();
  FakeDriver driver(console_);
  driver.queues[0].add({{FakeDriver::kBuffersAt, 4, true}});
  console_.notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->length, 4U);
  EXPECT_FALSE(driver.queues[0].take_used());
  driver.queues[0].add({{FakeDriver::kBuffersAt + 16, 4, true}});
  console_.notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->length, 2U);
  EXPECT_EQ(driver.get(FakeDriver::kBuffersAt + 16, 2), (std::vector<u8>{'e', 'f'}));
  driver.queues[0].add({{FakeDriver::kBuffersAt + 32, 4, true}});
  chars_.type("g");
  run_posted();
  EXPECT_EQ(driver.queues[0].take_used()->length, 1U);
}

TEST_F(ConsoleTest, InputIsBounded) {
  const std::string much(100'000, 'x');
  for (int i = 0; i < 5; ++i) chars_.type(much);
  run_posted();
  FakeDriver driver(console_);
  driver.queues[0].add({{FakeDriver::kBuffersAt, 0x20000, true}});
  console_.notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->length, 64U * 1024);
}

TEST_F(ConsoleTest, ABufferWithoutRoomIsADriverError) {
  FakeDriver driver(console_);
  driver.queues[0].add({{FakeDriver::kBuffersAt, 4, false}});
  chars_.type("a");
  run_posted();
  EXPECT_FALSE(driver.link.reset_reason.empty());
}

TEST(Console, InputAfterItsEndIsForgotten) {
  FakeChars chars;
  auto loop = std::move(os::EventLoop::create()).value();
  {
    Console console(chars, *loop);
    chars.type("late");
  }
  EXPECT_FALSE(chars.input);
  loop->stop();
  loop->run();
}

}  // namespace
}  // namespace pileus::virtio
