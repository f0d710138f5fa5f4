#include "control/usage_log.h"

#include <gtest/gtest.h>

namespace pileus::control {
namespace {

const model::InstanceId kInstance(7);
constexpr model::Millis kBegin = 1'000'000'000;

TEST(UsageLog, MakesRatesOfCounters) {
  UsageLog log;
  log.add(kInstance, kBegin, {1'000'000, 64 << 20, 100, 0, 0, 0});
  EXPECT_TRUE(log.samples(kInstance).empty());  // nothing to compare with
  log.add(kInstance, kBegin + 10'000, {6'000'000, 128 << 20, 1100, 20'000, 500, 0});
  const std::vector<UsageSample> samples = log.samples(kInstance);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].at_s, (kBegin + 10'000) / 1000);
  EXPECT_FLOAT_EQ(samples[0].cpu_percent, 50);
  EXPECT_FLOAT_EQ(samples[0].memory_mib, 128);
  EXPECT_FLOAT_EQ(samples[0].disk_read, 100);
  EXPECT_FLOAT_EQ(samples[0].disk_written, 2000);
  EXPECT_FLOAT_EQ(samples[0].network_in, 50);
}

TEST(UsageLog, TakesOneInEachStep) {
  UsageLog log;
  for (model::Millis at = 0; at <= 60'000; at += 4000) log.add(kInstance, kBegin + at, {});
  EXPECT_EQ(log.samples(kInstance).size(), 5U);  // at 12, 24, 36, 48, 60 s
}

TEST(UsageLog, BeginsAnewWithANewVm) {
  UsageLog log;
  log.add(kInstance, kBegin, {50'000'000, 0, 0, 0, 0, 0});
  log.add(kInstance, kBegin + 10'000, {1'000'000, 0, 0, 0, 0, 0});
  EXPECT_FLOAT_EQ(log.samples(kInstance)[0].cpu_percent, 10);
}

TEST(UsageLog, ForgetsWhatIsOldOrGone) {
  UsageLog log;
  for (u64 i = 0; i <= UsageLog::kMost + 10; ++i) log.add(kInstance, kBegin + i * UsageLog::kStep, {});
  const std::vector<UsageSample> samples = log.samples(kInstance);
  ASSERT_EQ(samples.size(), UsageLog::kMost);
  EXPECT_EQ(samples.back().at_s, (kBegin + (UsageLog::kMost + 10) * UsageLog::kStep) / 1000);
  log.forget_if([](model::InstanceId id) { return id == kInstance; });
  EXPECT_TRUE(log.samples(kInstance).empty());
}

}  // namespace
}  // namespace pileus::control
