#include "machine/legacy/pic.h"

#include <gtest/gtest.h>

#include "machine/testing/fake_alarm.h"

namespace pileus::machine {
namespace {

class PicTest : public ::testing::Test {
 protected:
  PicTest() {
    pic_.set_output(&output_);
    init(0, 0x20, 0x01);
    init(1, 0x28, 0x01);
  }
  void init(unsigned chip, u8 base, u8 icw4) {
    command(chip, 0x11);
    data(chip, base);
    data(chip, chip == 0 ? 4 : 2);
    data(chip, icw4);
  }
  void command(unsigned chip, u8 value) { pic_.command_ports(chip).write(0, 1, value); }
  void data(unsigned chip, u8 value) { pic_.command_ports(chip).write(1, 1, value); }
  u8 in_service(unsigned chip) {
    command(chip, 0x0B);
    return static_cast<u8>(pic_.command_ports(chip).read(0, 1));
  }
  u8 requests(unsigned chip) {
    command(chip, 0x0A);
    return static_cast<u8>(pic_.command_ports(chip).read(0, 1));
  }
  void pulse(unsigned irq) {
    pic_.set_input(irq, false);
    pic_.set_input(irq, true);
  }

  testing::FakeLine output_;
  PicPair pic_;
};

TEST_F(PicTest, AnEdgeIsOneInterrupt) {
  pic_.set_input(0, true);
  EXPECT_TRUE(output_.level);
  EXPECT_EQ(requests(0), 1);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
  EXPECT_FALSE(output_.level);
  EXPECT_EQ(in_service(0), 1);
  command(0, 0x20);
  EXPECT_EQ(in_service(0), 0);
  EXPECT_FALSE(output_.level);  // the wire is still high, and that is no edge
  pulse(0);
  EXPECT_TRUE(output_.level);
}

TEST_F(PicTest, ALowerPriorityWaitsAndAHigherInterrupts) {
  pulse(4);
  EXPECT_EQ(pic_.acknowledge(), 0x24);
  pulse(5);
  EXPECT_FALSE(output_.level);
  pulse(1);
  EXPECT_TRUE(output_.level);
  EXPECT_EQ(pic_.acknowledge(), 0x21);
  EXPECT_EQ(in_service(0), 0x12);
  command(0, 0x20);  // ends the highest
  EXPECT_EQ(in_service(0), 0x10);
  command(0, 0x64);  // ends 4 in particular
  EXPECT_EQ(in_service(0), 0);
  EXPECT_EQ(pic_.acknowledge(), 0x25);
}

TEST_F(PicTest, TheSecondChipGoesThroughTheCascade) {
  pulse(8);
  EXPECT_TRUE(output_.level);
  EXPECT_EQ(pic_.acknowledge(), 0x28);
  EXPECT_EQ(in_service(0), 4);
  EXPECT_EQ(in_service(1), 1);
  command(1, 0x20);
  command(0, 0x20);
  EXPECT_EQ(in_service(0) | in_service(1), 0);
  pulse(15);
  EXPECT_EQ(pic_.acknowledge(), 0x2F);
}

TEST_F(PicTest, MaskedRequestsWait) {
  data(0, 0x02);
  pulse(1);
  EXPECT_FALSE(output_.level);
  EXPECT_EQ(requests(0), 2);
  EXPECT_EQ(pic_.command_ports(0).read(1, 1), 2u);
  data(0, 0);
  EXPECT_TRUE(output_.level);
}

TEST_F(PicTest, ARequestThatGoesAwayIsSpurious) {
  pic_.set_input(3, true);
  pic_.set_input(3, false);
  EXPECT_FALSE(output_.level);
  EXPECT_EQ(pic_.acknowledge(), 0x27);
  EXPECT_EQ(in_service(0), 0);
}

TEST_F(PicTest, LevelsInterruptUntilTheyFall) {
  pic_.level_ports().write(1, 1, 0xFF);
  EXPECT_EQ(pic_.level_ports().read(1, 1), 0xDEu);  // never the clock's or the coprocessor's
  pic_.set_input(9, true);
  EXPECT_EQ(pic_.acknowledge(), 0x29);
  command(1, 0x20);
  command(0, 0x20);
  EXPECT_TRUE(output_.level);
  pic_.set_input(9, false);
  EXPECT_FALSE(output_.level);
}

TEST_F(PicTest, AutomaticEndAndRotation) {
  init(0, 0x20, 0x03);
  pulse(3);
  EXPECT_EQ(pic_.acknowledge(), 0x23);
  EXPECT_EQ(in_service(0), 0);
  command(0, 0xC0 | 3);  // 3 becomes the lowest, 4 the highest
  pulse(0);
  pulse(4);
  EXPECT_EQ(pic_.acknowledge(), 0x24);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
}

TEST_F(PicTest, SpecialMaskModeLetsLowerOnesPass) {
  pulse(1);
  EXPECT_EQ(pic_.acknowledge(), 0x21);
  pulse(6);
  EXPECT_FALSE(output_.level);
  data(0, 0x02);
  command(0, 0x68);
  EXPECT_TRUE(output_.level);
  EXPECT_EQ(pic_.acknowledge(), 0x26);
}

TEST_F(PicTest, ItCanBePolled) {
  command(0, 0x0C);
  EXPECT_EQ(pic_.command_ports(0).read(0, 1), 0u);
  pulse(5);
  command(0, 0x0C);
  EXPECT_EQ(pic_.command_ports(0).read(0, 1), 0x85u);
  EXPECT_EQ(in_service(0), 0x20);
}

TEST(Pic, NothingIsDeliveredBeforeItIsInitialized) {
  testing::FakeLine output;
  PicPair pic;
  pic.set_output(&output);
  pic.set_input(0, true);
  EXPECT_FALSE(output.level);
}

}  // namespace
}  // namespace pileus::machine
