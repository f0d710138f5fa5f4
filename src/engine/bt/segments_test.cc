#include "engine/bt/segments.h"

#include "engine/bt/events.h"
#include "engine/bt/system.h"
#include "engine/bt/test_machine.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {
namespace {

class SegmentsTest : public TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    enter_long_mode();
    identity_map();
  }
  void descriptor(unsigned index, u64 raw) { poke(kGdt + 8 * index, raw); }
};

TEST(DescriptorTest, Fields) {
  constexpr u64 kRaw = 0x12CF92345678FFFF;
  EXPECT_EQ(x86::descriptor_base(kRaw), 0x12345678U);
  EXPECT_EQ(x86::descriptor_limit(kRaw), 0xFFFFFFFFU);
  EXPECT_EQ(x86::descriptor_attributes(kRaw), 0xC092U);
  EXPECT_EQ(x86::descriptor_limit(0x000192345678FFFF), 0x1FFFFU);
}

TEST_F(SegmentsTest, LoadSetsTheAccessedBit) {
  descriptor(3, 0x12CF92345678FFFF);
  ASSERT_TRUE(load_segment(cpu(), kDs, 0x18));
  EXPECT_EQ(cpu().segment[kDs].base, 0x12345678U);
  EXPECT_EQ(peek<u64>(kGdt + 24) >> 40 & 0xFF, 0x93U);
}

TEST_F(SegmentsTest, NullSelectors) {
  ASSERT_TRUE(load_segment(cpu(), kFs, 0));
  EXPECT_EQ(cpu().segment[kFs].base, 0U);
  EXPECT_TRUE(load_segment(cpu(), kSs, 0));  // 64-bit mode, CPL 0
  cpu().cpl = 3;
  EXPECT_FALSE(load_segment(cpu(), kSs, 3));
  EXPECT_EQ(cpu().fault.vector, kVectorGp);
}

TEST_F(SegmentsTest, PrivilegeLimitAndPresence) {
  descriptor(3, 0x00CF93000000FFFF);  // DPL 0
  descriptor(4, 0x00CF73000000FFFF);  // DPL 3, not present
  cpu().cpl = 3;
  EXPECT_FALSE(load_segment(cpu(), kDs, 0x1B));
  EXPECT_EQ(cpu().fault.error, 0x18U);
  EXPECT_FALSE(load_segment(cpu(), kDs, 0x23));
  EXPECT_EQ(cpu().fault.vector, kVectorNp);
  cpu().gdtr.limit = 0x1F;
  EXPECT_FALSE(load_segment(cpu(), kDs, 0x23));
  EXPECT_EQ(cpu().fault.vector, kVectorGp);
}

TEST_F(SegmentsTest, TaskRegisterBecomesBusy) {
  descriptor(8, 0x0000890220000067);
  descriptor(9, 0xFFFFFFFF);
  ASSERT_TRUE(load_tr(cpu(), 0x40));
  EXPECT_EQ(cpu().tr.base, 0xFFFFFFFF00022000U);
  EXPECT_EQ(peek<u64>(kGdt + 64) >> 40 & 0xF, 11U);
  EXPECT_FALSE(load_tr(cpu(), 0x40));  // busy
}

TEST_F(SegmentsTest, FarReturnToCompatibilityMode) {
  descriptor(2, 0x00CF9B000000FFFF);
  poke(0x50000, u64{0x1234});
  poke(0x50008, u64{0x10});
  cpu().gpr[kRsp] = 0x50000;
  ASSERT_TRUE(far_return(cpu(), 64, 0));
  EXPECT_EQ(cpu().rip, 0x1234U);
  EXPECT_FALSE(cpu().code64());
  EXPECT_EQ(cpu().gpr[kRsp], 0x50010U);
}

TEST_F(SegmentsTest, PagingSwitchesLongModeOn) {
  Context& c = cpu();
  c.cr0 = 0x11;
  c.efer = 0;
  c.segment[kCs].attributes = 0xC09B;
  ASSERT_TRUE(write_msr(c, 0xC0000080, 0x901));
  EXPECT_FALSE(c.long_mode());
  ASSERT_TRUE(write_cr(c, 0, 0x80000011));
  EXPECT_TRUE(c.long_mode());
  EXPECT_FALSE(write_msr(c, 0xC0000080, 0x801));  // LME while paging
  EXPECT_FALSE(write_cr(c, 4, 0));                // PAE is needed
  ASSERT_TRUE(write_cr(c, 0, 0x11));
  EXPECT_FALSE(c.long_mode());
}

}  // namespace
}  // namespace pileus::engine::bt
