#include "control/leadership.h"

#include <gtest/gtest.h>

#include <atomic>

#include "control/testing/cloud.h"
#include "model/cloud_keys.h"

namespace pileus::control {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::seconds kLease{5};  // longer than a busy machine stands still

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

class LeadershipTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = state::sqlite::open({folder_.path(), 10s, 2});
    ASSERT_TRUE(opened.ok());
    store_ = std::move(opened).value();
  }
  // Work that counts how many do it.
  std::unique_ptr<Leadership> join(const std::string& name) {
    const auto begin = [this]() -> Result<Leadership::Work> {
      ++begun_;
      ++working_;
      return Leadership::Work(nullptr, [this](void*) { --working_; });
    };
    return std::make_unique<Leadership>(*store_, name, begin, kLease);
  }

  os::TemporaryDirectory folder_ = testing::make_folder();
  std::unique_ptr<state::Store> store_;
  std::atomic<int> begun_{0};
  std::atomic<int> working_{0};
};

TEST_F(LeadershipTest, OneLeadsAndTheOtherFollowsIt) {
  auto first = join("a");
  ASSERT_TRUE(comes_true([&] { return first->leads(); }));
  auto second = join("b");
  std::this_thread::sleep_for(kLease + 1500ms);
  EXPECT_FALSE(second->leads());
  EXPECT_EQ(working_, 1);
  first.reset();
  EXPECT_TRUE(comes_true([&] { return second->leads(); }));
  EXPECT_EQ(working_, 1);
  EXPECT_EQ(begun_, 2);
}

TEST_F(LeadershipTest, WhatADeadOneLeftIsFreeWhenItsLeaseHasEnded) {
  const state::Lease lease = store_->grant_lease(kLease).value();
  ASSERT_TRUE(store_->put(std::string(model::kLeaderKey), "dead", lease.id).ok());
  auto heir = join("heir");
  EXPECT_TRUE(comes_true([&] { return heir->leads(); }));
}

TEST_F(LeadershipTest, ItsOwnIsTakenUpAtOnce) {
  const state::Lease lease = store_->grant_lease(3600s).value();
  ASSERT_TRUE(store_->put(std::string(model::kLeaderKey), "me", lease.id).ok());
  auto me = join("me");
  EXPECT_TRUE(comes_true([&] { return me->leads(); }));
}

TEST_F(LeadershipTest, WhoseLeaseIsTakenAwayStopsAndComesBack) {
  auto only = join("a");
  ASSERT_TRUE(comes_true([&] { return only->leads(); }));
  const auto entry = store_->get(std::string(model::kLeaderKey)).value();
  ASSERT_TRUE(entry.has_value());
  ASSERT_TRUE(store_->revoke_lease(entry->lease).ok());
  EXPECT_TRUE(comes_true([&] { return begun_ == 2; }));
  EXPECT_TRUE(comes_true([&] { return only->leads(); }));
  EXPECT_EQ(working_, 1);
}

}  // namespace
}  // namespace pileus::control
