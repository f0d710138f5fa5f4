// What was served is not served again: not later, not after a restart, not by another manager over the same store.
#include "ec2/served_requests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "os/file.h"
#include "state/sqlite/store.h"

namespace pileus::ec2 {
namespace {

constexpr model::Millis kNow = 1'795'437'296'000;
constexpr model::Millis kLife = 15ULL * 60 * 1000;
constexpr model::Millis kLater = ServedRequests::kAtOnce + 1;

class Served : public ::testing::Test {
 protected:
  std::vector<model::ServedRequests> records() {
    std::vector<model::ServedRequests> found;
    const auto all = store_->get(state::Get{state::KeyRange::prefix(std::string(model::kServedPrefix))});
    EXPECT_TRUE(all.ok());
    for (const state::KeyValue& entry : all->entries) {
      found.push_back(model::decode<model::ServedRequests>(entry.value).value());
    }
    return found;
  }
  bool has_record_until(model::Millis end) {
    const auto all = records();
    return std::ranges::find(all, end, &model::ServedRequests::good_until) != all.end();
  }
  void wait_for_records(std::size_t count) {
    while (records().size() < count) std::this_thread::yield();
  }
  static bool admits(ServedRequests& requests, const std::string& signature, model::Millis now) {
    const Result<bool> admitted = requests.admit(signature, now + kLife, now);
    EXPECT_TRUE(admitted.ok());
    return admitted.ok() && *admitted;
  }

  const os::TemporaryDirectory folder_ =
      os::TemporaryDirectory::create((std::filesystem::exists("/dev/shm") ? "/dev/shm/" : ::testing::TempDir()) +
                                     std::string("pileus-served-"))
          .value();
  const std::unique_ptr<state::Store> store_ =
      state::sqlite::open({folder_.path(), std::chrono::seconds(10), 2}).value();
};

TEST_F(Served, OnceAndAtOnce) {
  ServedRequests requests(*store_);
  EXPECT_TRUE(admits(requests, "a", kNow));
  EXPECT_TRUE(admits(requests, "a", kNow + ServedRequests::kAtOnce)) << "the client itself";
  EXPECT_FALSE(admits(requests, "a", kNow + kLater));
  EXPECT_TRUE(admits(requests, "b", kNow + kLater));
}

TEST_F(Served, ARestartRemembers) {
  {
    ServedRequests before(*store_);
    EXPECT_TRUE(admits(before, "a", kNow));
  }
  ServedRequests after(*store_);
  EXPECT_TRUE(admits(after, "a", kNow + 1));
  EXPECT_FALSE(admits(after, "a", kNow + kLater));
}

TEST_F(Served, AnotherManagerHears) {
  ServedRequests one(*store_);
  ServedRequests other(*store_);
  EXPECT_TRUE(admits(one, "a", kNow));
  EXPECT_TRUE(admits(other, "b", kNow));
  wait_for_records(2);
  EXPECT_FALSE(admits(other, "a", kNow + kLater));
  EXPECT_FALSE(admits(one, "b", kNow + kLater));
}

TEST_F(Served, IsForgottenWhenItsDateHasEnded) {
  ServedRequests requests(*store_);
  EXPECT_TRUE(admits(requests, "a", kNow));
  wait_for_records(1);
  EXPECT_TRUE(admits(requests, "b", kNow + kLife / 2));
  wait_for_records(2);
  EXPECT_TRUE(admits(requests, "c", kNow + kLife + 1));
  EXPECT_FALSE(admits(requests, "b", kNow + kLife + 1));
  while (has_record_until(kNow + kLife) || !has_record_until(kNow + kLife + 1 + kLife)) std::this_thread::yield();
  EXPECT_TRUE(has_record_until(kNow + kLife / 2 + kLife));
}

TEST_F(Served, ThoseOfOneMomentAreWrittenTogether) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  {
    ServedRequests requests(*store_);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&requests, i] {
        for (int j = 0; j < kEach; ++j) {
          EXPECT_TRUE(admits(requests, std::to_string(i) + "-" + std::to_string(j), kNow));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_LT(records().size(), std::size_t{kThreads * kEach});
  ServedRequests after(*store_);
  for (int i = 0; i < kThreads; ++i) {
    for (int j = 0; j < kEach; ++j) {
      EXPECT_FALSE(admits(after, std::to_string(i) + "-" + std::to_string(j), kNow + kLater));
    }
  }
}

}  // namespace
}  // namespace pileus::ec2
