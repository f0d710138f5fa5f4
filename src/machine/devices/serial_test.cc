#include "machine/devices/serial.h"

#include <gtest/gtest.h>

#include <string>

namespace pileus::machine {
namespace {

struct FakeBackend : guest::CharBackend {
  void write(std::span<const u8> data) override { output.append(data.begin(), data.end()); }
  void set_input(Input new_input) override { input = std::move(new_input); }
  void type(const std::string& text) { input({reinterpret_cast<const u8*>(text.data()), text.size()}); }
  std::string output;
  Input input;
};

struct FakeLine : guest::InterruptLine {
  void set(bool new_level) override {
    if (new_level && !level) ++rises;
    level = new_level;
  }
  bool level = false;
  int rises = 0;
};

class SerialTest : public ::testing::Test {
 protected:
  void out(u64 offset, u8 value) { serial_.write(offset, 1, value); }
  u8 in(u64 offset) { return static_cast<u8>(serial_.read(offset, 1)); }
  void enable_interrupts(u8 mask) {
    out(4, 0x0B);  // DTR, RTS, OUT2
    out(1, mask);
  }

  FakeBackend backend_;
  FakeLine line_;
  Serial serial_{&backend_, line_};
};

TEST_F(SerialTest, LooksLikeA16550A) {
  out(2, 1);
  EXPECT_EQ(in(2) & 0xC0, 0xC0);
  out(7, 0xA5);
  EXPECT_EQ(in(7), 0xA5);
  out(4, 0x1A);  // loopback, as Linux probes
  EXPECT_EQ(in(6) & 0xF0, 0x90);
}

TEST_F(SerialTest, DivisorHidesBehindTheLatch) {
  out(3, 0x83);
  out(0, 0x01);
  out(1, 0x02);
  EXPECT_EQ(in(0), 0x01);
  EXPECT_EQ(in(1), 0x02);
  out(3, 0x03);
  EXPECT_EQ(in(1), 0);
  EXPECT_EQ(backend_.output, "");
}

TEST_F(SerialTest, SendsAndRaisesTransmitterEmpty) {
  enable_interrupts(2);
  EXPECT_EQ(line_.rises, 1);  // at once, since it is empty
  EXPECT_EQ(in(2) & 0x0F, 2);
  EXPECT_FALSE(line_.level);
  EXPECT_EQ(in(2) & 0x0F, 1);
  for (const char c : std::string("hi")) out(0, static_cast<u8>(c));
  EXPECT_EQ(backend_.output, "hi");
  EXPECT_EQ(line_.rises, 2);
  EXPECT_EQ(in(5), 0x60);
}

TEST_F(SerialTest, ReceivesWithInterrupts) {
  enable_interrupts(1);
  backend_.type("ab");
  EXPECT_EQ(line_.rises, 1);
  EXPECT_EQ(in(2) & 0x0F, 4);
  EXPECT_EQ(in(5) & 1, 1);
  EXPECT_EQ(in(0), 'a');
  EXPECT_TRUE(line_.level);
  EXPECT_EQ(in(0), 'b');
  EXPECT_FALSE(line_.level);
  EXPECT_EQ(in(5) & 1, 0);
}

TEST_F(SerialTest, Out2GatesTheInterrupt) {
  out(1, 1);
  backend_.type("x");
  EXPECT_FALSE(line_.level);
  out(4, 8);
  EXPECT_TRUE(line_.level);
}

TEST_F(SerialTest, InputIsBounded) {
  backend_.type(std::string(Serial::kMaxInput + 5, 'z'));
  EXPECT_EQ(in(5) & 2, 2);
  EXPECT_EQ(in(5) & 2, 0);
  for (u64 i = 0; i < Serial::kMaxInput; ++i) in(0);
  EXPECT_EQ(in(5) & 1, 0);
}

TEST_F(SerialTest, ResetForgetsEverything) {
  enable_interrupts(1);
  backend_.type("x");
  serial_.reset();
  EXPECT_FALSE(line_.level);
  EXPECT_EQ(in(5) & 1, 0);
}

TEST(Serial, WorksWithoutBackend) {
  FakeLine line;
  Serial serial(nullptr, line);
  serial.write(0, 1, 'x');
  EXPECT_EQ(serial.read(5, 1), 0x60u);
}

}  // namespace
}  // namespace pileus::machine
