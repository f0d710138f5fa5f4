// What code in a worker can and cannot do. Each test puts instructions on a page of "guest memory" and lets them run.
#include "engine/bt/direct/worker.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/bt/context.h"
#include "engine/bt/page_walk.h"
#include "os/file.h"

namespace pileus::engine::bt::direct {
namespace {

constexpr u64 kCode = 0x10000000, kData = 0x10001000, kPage = 4096;
constexpr std::array<u8, 2> kSyscall{0x0F, 0x05};
constexpr greg_t kPageFault = 14, kProtection = 13, kInvalid = 6;

class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "the sanitizer's memory lies where the worker's region goes";
#endif
    if (!is_supported()) GTEST_SKIP() << "the host has no FSGSBASE";
    memory_ = std::move(os::anonymous_file("worker-test", 2 * kPage)).value();
    mapped_ = std::move(os::Mapping::file(memory_.get(), 0, 2 * kPage, true)).value();
    context_ = std::make_unique<Context>();
    auto started = Worker::start(memory_.get());
    ASSERT_TRUE(started.ok()) << started.error().message();
    worker_ = std::move(*started);
    const std::vector<MapRequest> requests{{kCode, kPage, PROT_READ | PROT_EXEC, 0},
                                           {kData, kPage, PROT_READ | PROT_WRITE, kPage}};
    ASSERT_TRUE(worker_->map(requests));
  }

  greg_t& reg(int index) { return worker_->frame().uc_mcontext.gregs[index]; }
  // Runs `code` from its first byte to whatever stops it.
  bool run(const std::vector<u8>& code) {
    std::memcpy(mapped_.data(), code.data(), code.size());
    reg(REG_RIP) = kCode;
    reg(REG_RSP) = kData + kPage;
    reg(REG_EFL) = 0x202;
    return worker_->run(*context_, 0, 0);
  }
  // Jumps to an address with the registers of a system call.
  bool jump(u64 to, u64 number, u64 a0, u64 a1, u64 a2) {
    reg(REG_R15) = static_cast<greg_t>(to);
    reg(REG_RAX) = static_cast<greg_t>(number);
    reg(REG_RDI) = static_cast<greg_t>(a0);
    reg(REG_RSI) = static_cast<greg_t>(a1);
    reg(REG_RDX) = static_cast<greg_t>(a2);
    return run({0x41, 0xFF, 0xE7});  // jmp r15
  }

  os::Fd memory_;
  os::Mapping mapped_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<Worker> worker_;
};

TEST_F(WorkerTest, RunsWithTheRegistersItIsGiven) {
  reg(REG_RBX) = 40;
  ASSERT_TRUE(run({0x48, 0x83, 0xC3, 0x02, 0x48, 0x89, 0x1C, 0x25, 0, 0x10, 0, 0x10, 0xF4}));  // add, mov [kData], hlt
  EXPECT_EQ(worker_->stop(), Stop::kFault);
  EXPECT_EQ(reg(REG_TRAPNO), kProtection);
  EXPECT_EQ(reg(REG_RBX), 42);
  EXPECT_EQ(mapped_.data()[kPage], 42);
}

TEST_F(WorkerTest, SystemCallsAreNotCarriedOut) {
  for (const int number : {SYS_getpid, SYS_write, SYS_mmap, SYS_rt_sigreturn, SYS_exit_group, SYS_read}) {
    reg(REG_RAX) = static_cast<greg_t>(number);
    ASSERT_TRUE(run({kSyscall[0], kSyscall[1]}));
    EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
    EXPECT_EQ(reg(REG_RAX), static_cast<greg_t>(number));
    EXPECT_EQ(reg(REG_RIP), static_cast<greg_t>(kCode + 2));
  }
}

TEST_F(WorkerTest, The32BitSystemCallsAreNotEither) {
  reg(REG_RAX) = 1;  // exit
  ASSERT_TRUE(run({0xCD, 0x80}));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
}

TEST_F(WorkerTest, TheVmmsMemoryIsNotThere) {
  static u64 secret = 1;
  reg(REG_RBX) = reinterpret_cast<greg_t>(&secret);
  ASSERT_TRUE(run({0x48, 0x8B, 0x03}));  // mov rax, [rbx]
  EXPECT_EQ(reg(REG_TRAPNO), kPageFault);
  EXPECT_EQ(reg(REG_CR2), reinterpret_cast<greg_t>(&secret));
}

TEST_F(WorkerTest, ControlAndStubCannotBeWritten) {
  for (const u64 at : {kRegion, kRegion + kControlOffset}) {
    reg(REG_RBX) = static_cast<greg_t>(at);
    ASSERT_TRUE(run({0x48, 0x89, 0x03}));  // mov [rbx], rax
    EXPECT_EQ(reg(REG_TRAPNO), kPageFault);
  }
}

TEST_F(WorkerTest, TheStubsSystemCallsServeNothingElse) {
  const u64 one = kRegion + kControlOffset;
  const auto before = [](u64 after) { return after - kSyscall.size(); };
  // Another call, another descriptor, another count: at each place.
  EXPECT_TRUE(jump(before(stub().after_exit), SYS_getpid, 0, 0, 0));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
  EXPECT_TRUE(jump(before(stub().after_exit), SYS_write, kFdGo, one, 8));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
  EXPECT_TRUE(jump(before(stub().after_exit), SYS_write, kFdExit, one + 8, 8));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
  EXPECT_TRUE(jump(before(stub().after_go), SYS_read, kFdExit, kData, 8));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
  EXPECT_TRUE(jump(before(stub().after_return), SYS_mmap, kCode, kPage, 3));
  EXPECT_EQ(worker_->stop(), Stop::kSystemCall);
}

TEST_F(WorkerTest, WhoSaysThatItStoppedHasStopped) {
  std::memset(mapped_.data() + kPage, 0, kPage);
  // To the handler itself, as if a signal had come. What it takes for the frame is no frame.
  reg(REG_RDX) = kData;
  EXPECT_FALSE(jump(stub().handler, 0, 0, 0, kData));
  const u8 before = mapped_.data()[kPage];
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(mapped_.data()[kPage], before);
}

TEST_F(WorkerTest, ASpinningOneCanBeStopped) {
  std::thread kicker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    worker_->kick();
  });
  EXPECT_TRUE(run({0xEB, 0xFE}));  // jmp $
  kicker.join();
  EXPECT_EQ(worker_->stop(), Stop::kKick);
  EXPECT_EQ(reg(REG_RIP), static_cast<greg_t>(kCode));
}

TEST_F(WorkerTest, AMappingThatFailsIsNoticed) {
  EXPECT_FALSE(worker_->map(std::vector<MapRequest>{{kData, kPage, PROT_READ, 1}}));  // no offset of a page
}

TEST_F(WorkerTest, ADeadOneIsNoticed) {
  EXPECT_TRUE(worker_->is_alive());
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(::kill(worker_->pid(), SIGKILL), 0);
  });
  EXPECT_FALSE(run({0xEB, 0xFE}));  // jmp $
  killer.join();
  EXPECT_FALSE(worker_->is_alive());
  EXPECT_FALSE(worker_->map(std::vector<MapRequest>{{kData, kPage, PROT_READ, 0}}));
}

TEST_F(WorkerTest, MappingsGoAndChange) {
  ASSERT_TRUE(worker_->map(std::vector<MapRequest>{{kData, kPage, 0, 0}}));
  ASSERT_TRUE(run({0xA0, 0, 0x10, 0, 0x10, 0, 0, 0, 0}));  // mov al, [kData]
  EXPECT_EQ(reg(REG_TRAPNO), kPageFault);
  ASSERT_TRUE(worker_->map(std::vector<MapRequest>{{kData, kPage, PROT_READ, 0}}));
  ASSERT_TRUE(run({0xA0, 0, 0x10, 0, 0x10, 0, 0, 0, 0, 0x0F, 0x0B}));
  EXPECT_EQ(reg(REG_TRAPNO), kInvalid);
  EXPECT_EQ(reg(REG_RAX) & 0xFF, 0xA0);
}

TEST_F(WorkerTest, BreakpointsStopBeforeTheInstruction) {
  if (!worker_->set_breakpoint(kCode + 1)) GTEST_SKIP() << "the host gives no hardware breakpoints";
  ASSERT_TRUE(run({0x90, 0x0F, 0xA2, 0x0F, 0x0B}));  // nop, cpuid, ud2
  EXPECT_EQ(worker_->stop(), Stop::kBreakpoint);
  EXPECT_EQ(reg(REG_RIP), static_cast<greg_t>(kCode + 1));
  EXPECT_FALSE(worker_->set_breakpoint(kCode) && worker_->set_breakpoint(kCode + 2) &&
               worker_->set_breakpoint(kCode + 3) && worker_->set_breakpoint(kCode + 4));  // there are four
  worker_->remove_breakpoints(kCode, kCode + kPage);
  ASSERT_TRUE(run({0x90, 0x0F, 0xA2, 0x0F, 0x0B}));
  EXPECT_EQ(reg(REG_RIP), static_cast<greg_t>(kCode + (is_cpuid_fault_supported() ? 1 : 3)));
}

TEST_F(WorkerTest, TimeIsNotTold) {
  ASSERT_TRUE(run({0x0F, 0x31}));  // rdtsc
  EXPECT_EQ(reg(REG_TRAPNO), kProtection);
}

}  // namespace
}  // namespace pileus::engine::bt::direct
