#include <gtest/gtest.h>

#include <chrono>

#include "engine/engine.h"
#include "engine/kvm/device.h"

namespace pileus::engine {
namespace {

TEST(KvmProbe, SaysSomethingSoon) {
  const auto start = std::chrono::steady_clock::now();
  const KvmProbe probe = probe_kvm();
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_NE(probe.reason, "");
  EXPECT_EQ(probe.usable, kvm_cpu_features().ok()) << probe.reason;
  EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
            20'000);  // 10 or so; machines are busy
  RecordProperty("reason", probe.reason);
  RecordProperty("ms", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
}

TEST(KvmDevice, SaysWhatIsMissing) {
  const auto absent = kvm::Device::open("/nonexistent/kvm");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(absent.error().message().find("--engine bt"), std::string::npos);
  const auto other = kvm::Device::open("/dev/null");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message(), "/dev/null is not KVM: use --engine bt");
}

}  // namespace
}  // namespace pileus::engine
