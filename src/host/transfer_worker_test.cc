#include "host/transfer_worker.h"

#include <gtest/gtest.h>

namespace pileus::host {
namespace {

using namespace std::chrono_literals;

// Pieces of work that go on until they are let go.
class TransferWorkerTest : public ::testing::Test {
 protected:
  ~TransferWorkerTest() override { go_on_ = false; }

  TransferWorker::State ask(const std::string& name, const std::string& owner) {
    return worker_.ask(name, owner, [this, name](const TransferProgress& progress) -> Result<> {
      {
        const std::lock_guard lock(mutex_);
        running_.insert(name);
      }
      while (go_on_ && !is_released(name) && progress("working", 0)) std::this_thread::sleep_for(1ms);
      const std::lock_guard lock(mutex_);
      running_.erase(name);
      return {};
    });
  }
  bool is_released(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return released_.contains(name);
  }
  void release(const std::string& name) {
    const std::lock_guard lock(mutex_);
    released_.insert(name);
  }
  // Those that run in the end; waits until they are as wanted.
  std::set<std::string> running(const std::set<std::string>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    while (now_running() != wanted && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(10ms);  // no more of them
    return now_running();
  }
  std::set<std::string> now_running() {
    const std::lock_guard lock(mutex_);
    return running_;
  }

  std::mutex mutex_;
  std::set<std::string> running_;   // guarded by mutex_
  std::set<std::string> released_;  // guarded by mutex_
  std::atomic<bool> go_on_{true};
  TransferWorker worker_;
};

using Names = std::set<std::string>;

TEST_F(TransferWorkerTest, NobodyTakesAllThreads) {
  for (const char* name : {"a1", "a2", "a3", "a4", "a5"}) ask(name, "a");
  EXPECT_EQ(running({"a1", "a2"}), Names({"a1", "a2"}));
  EXPECT_STREQ(ask("a3", "a").what, "waits for others");
  ask("b1", "b");
  EXPECT_EQ(running({"a1", "a2", "b1"}), Names({"a1", "a2", "b1"}));
}

TEST_F(TransferWorkerTest, WhoHasLeastUnderWayIsNext) {
  for (const char* name : {"a1", "a2"}) ask(name, "a");
  for (const char* name : {"b1", "b2"}) ask(name, "b");
  EXPECT_EQ(running({"a1", "a2", "b1", "b2"}), Names({"a1", "a2", "b1", "b2"}));
  for (const char* name : {"a3", "b3"}) ask(name, std::string(name, 1));
  ask("c1", "c");
  release("b1");
  EXPECT_EQ(running({"a1", "a2", "b2", "c1"}), Names({"a1", "a2", "b2", "c1"}));
  release("b2");
  EXPECT_EQ(running({"a1", "a2", "b3", "c1"}), Names({"a1", "a2", "b3", "c1"}));
}

TEST_F(TransferWorkerTest, WhatNobodyWantsIsGivenUp) {
  for (const char* name : {"a1", "a2", "a3"}) ask(name, "a");
  EXPECT_EQ(running({"a1", "a2"}), Names({"a1", "a2"}));
  worker_.keep_only({"a2"});
  EXPECT_EQ(running({"a2"}), Names({"a2"}));
}

}  // namespace
}  // namespace pileus::host
