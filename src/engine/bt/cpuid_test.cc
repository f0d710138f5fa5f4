#include "engine/bt/host_tsc.h"
#include "engine/bt/system.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

class CpuidTest : public TestMachine {
 protected:
  void ask(u32 leaf, u32 subleaf = 0) {
    cpu().gpr[kRax] = leaf;
    cpu().gpr[kRcx] = subleaf;
    do_cpuid(cpu());
  }
  u32 eax() { return static_cast<u32>(cpu().gpr[kRax]); }
  u32 ebx() { return static_cast<u32>(cpu().gpr[kRbx]); }
  u32 ecx() { return static_cast<u32>(cpu().gpr[kRcx]); }
  u32 edx() { return static_cast<u32>(cpu().gpr[kRdx]); }
};

TEST_F(CpuidTest, OffersWhatTheTranslatorKnowsAndNoMore) {
  ask(1);
  constexpr u32 kV2 = 1U << 0 | 1U << 9 | 1U << 13 | 1U << 19 | 1U << 20 | 1U << 23;
  EXPECT_EQ(ecx() & kV2, kV2);
  EXPECT_EQ(ecx() & (1U << 27), 0U);  // OSXSAVE before CR4 has it
  EXPECT_NE(ecx() & (1U << 17), 0U);  // PCID
  ask(7);
  EXPECT_EQ(ebx() & (1U << 4 | 1U << 11 | 1U << 16), 0U);  // HLE RTM AVX512F
  EXPECT_EQ(ecx() & (1U << 3), 0U);                        // PKU
}

TEST_F(CpuidTest, BranchHistoryNeedsNoLoop) {
  ask(7);
  EXPECT_EQ(eax(), 2U);
  ask(7, 2);
  EXPECT_EQ(edx(), 1U << 4);  // BHI_CTRL
  EXPECT_TRUE(write_msr(cpu(), 0x48, 1U << 10 | 1));
  u64 value = 0;
  EXPECT_TRUE(read_msr(cpu(), 0x48, &value));
  EXPECT_EQ(value, 1U << 10 | 1U);
}

TEST_F(CpuidTest, SignatureIsTheSameAfterReset) {
  ask(1);
  const u32 signature = eax();
  reset_context(cpu());
  EXPECT_EQ(cpu().gpr[kRdx], signature);
}

TEST_F(CpuidTest, TscFrequencyByLeaf15AsLinuxComputesIt) {
  ask(0x15);
  const u32 khz = ecx() / 1000 * ebx() / eax();  // 32-bit arithmetic on purpose
  EXPECT_NEAR(khz, static_cast<double>(tsc_khz()), static_cast<double>(tsc_khz()) / 10000);
}

TEST_F(CpuidTest, ParavirtSignature) {
  ask(0x40000000);
  EXPECT_EQ(ebx(), 0x4B4D564BU);
  EXPECT_EQ(ecx(), 0x564B4D56U);
  EXPECT_EQ(edx(), 0x4DU);
}

TEST_F(CpuidTest, UnknownMsrFaults) {
  u64 value = 0;
  EXPECT_FALSE(read_msr(cpu(), 0xDEAD, &value));
  EXPECT_FALSE(write_msr(cpu(), 0xDEAD, 0));
  EXPECT_EQ(cpu().fault.vector, 13);
}

}  // namespace
}  // namespace pileus::engine::bt
