#include "vmm/vm_directory.h"

#include <gtest/gtest.h>

namespace pileus::vmm {
namespace {

class VmDirectoryTest : public testing::Test {
 protected:
  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(testing::TempDir() + "vm-").value();
  VmDirectory vm_{folder_.path()};
};

TEST_F(VmDirectoryTest, AFreshVmIsStopped) {
  EXPECT_EQ(vm_.state().phase, VmPhase::kStopped);
  EXPECT_FALSE(vm_.in_use());
}

TEST_F(VmDirectoryTest, TheLockTellsWhetherItRuns) {
  VmState state;
  state.phase = VmPhase::kRunning;
  state.pid = 1;  // a living process that is no VMM of ours
  ASSERT_TRUE(vm_.save_state(state).ok());
  EXPECT_EQ(vm_.state().phase, VmPhase::kKilled);
  EXPECT_EQ(vm_.state().pid, 0);
  {
    const Result<os::FileLock> lock = vm_.lock();
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(vm_.state().phase, VmPhase::kRunning);
    EXPECT_EQ(vm_.lock().error().code(), ErrorCode::kBusy);
  }
  EXPECT_EQ(vm_.state().phase, VmPhase::kKilled);
}

TEST_F(VmDirectoryTest, AnEndIsRemembered) {
  VmState state;
  state.phase = VmPhase::kCrashed;
  state.message = "the guest triple-faulted";
  state.engine_used = "bt";
  state.engine_reason = "asked for";
  ASSERT_TRUE(vm_.save_state(state).ok());
  EXPECT_EQ(vm_.state().phase, VmPhase::kCrashed);
  EXPECT_EQ(vm_.state().message, state.message);
  EXPECT_EQ(vm_.state().engine_used, state.engine_used);
  EXPECT_EQ(vm_.state().engine_reason, state.engine_reason);
  EXPECT_FALSE(vm_.state().exit_code);
  state.exit_code = 0;
  ASSERT_TRUE(vm_.save_state(state).ok());
  EXPECT_EQ(vm_.state().exit_code, 0u);
}

TEST_F(VmDirectoryTest, DisksWaitOnlyWhileItRuns) {
  VmState state;
  state.phase = VmPhase::kRunning;
  state.waiting_disks = {"root", "data"};
  ASSERT_TRUE(vm_.save_state(state).ok());
  EXPECT_TRUE(vm_.state().waiting_disks.empty());
  const Result<os::FileLock> lock = vm_.lock();
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(vm_.state().waiting_disks, state.waiting_disks);
}

TEST(VmState, RefusesDamage) {
  VmState state;
  const std::string good = encode_state(state);
  EXPECT_TRUE(parse_state(good).ok());
  for (std::size_t length = 0; length + 2 < good.size(); ++length) {
    EXPECT_FALSE(parse_state(good.substr(0, length)).ok()) << length;
  }
  EXPECT_TRUE(
      parse_state(R"({"phase":"stopped","pid":0,"started_unix_s":0,"message":""})").ok());  // of an earlier version
  EXPECT_FALSE(parse_state(R"({"phase":"stopped","pid":0,"started_unix_s":0,"message":"","exit_code":-1})").ok());
  EXPECT_FALSE(parse_state(R"({"phase":"asleep","pid":0,"started_unix_s":0,"message":""})").ok());
}

}  // namespace
}  // namespace pileus::vmm
