// What a host tells of consoles: to whom, how often, and how much at once.
#include "host/console_tails.h"

#include <gtest/gtest.h>

#include <set>

#include "host/local_vm.h"
#include "os/file.h"

namespace pileus::host {
namespace {

class ConsoleTailsTest : public ::testing::Test {
 protected:
  // As a guest does that goes on printing; file times may be coarse.
  void print(u64 id, const std::string& text) {
    const std::filesystem::path log = LocalVm(folder_.path(), model::InstanceId(id)).directory().console_log();
    ASSERT_TRUE(os::make_directories(log.parent_path()).ok());
    ASSERT_TRUE(os::replace_file(log, text).ok());
    time_ += std::chrono::seconds(1);
    std::filesystem::last_write_time(log, time_);
  }
  std::set<u64> ids_of_changed() {
    std::set<u64> ids;
    for (const auto& [id, text] : tails_.changed()) ids.insert(id.value());
    return ids;
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create("/tmp/console-tails-").value();
  std::filesystem::file_time_type time_ = std::filesystem::file_time_type::clock::now();
  ConsoleTails tails_{folder_.path()};
};

using Ids = std::set<u64>;

TEST_F(ConsoleTailsTest, WhatIsToldIsToldOnce) {
  print(1, "login:");
  EXPECT_EQ(tails_.changed().at(model::InstanceId(1)), "login:");
  EXPECT_FALSE(tails_.told("a"));
  EXPECT_TRUE(tails_.changed().empty());
  print(1, "login: root");
  EXPECT_EQ(tails_.changed().at(model::InstanceId(1)), "login: root");
}

TEST_F(ConsoleTailsTest, AReportThatFailedIsMadeAgain) {
  print(1, "login:");
  EXPECT_EQ(ids_of_changed(), Ids{1});
  EXPECT_EQ(ids_of_changed(), Ids{1}) << "nobody has said that it came";
  EXPECT_FALSE(tails_.told("a"));
  EXPECT_TRUE(tails_.changed().empty());
}

TEST_F(ConsoleTailsTest, AnotherManagerIsToldEverything) {
  print(1, "quiet since");
  EXPECT_EQ(ids_of_changed(), Ids{1});
  EXPECT_FALSE(tails_.told("a"));
  print(2, "new");
  EXPECT_EQ(ids_of_changed(), Ids{2});
  EXPECT_TRUE(tails_.told("b")) << "which has not heard of the first";
  EXPECT_EQ(ids_of_changed(), Ids{1}) << "the other one it has";
  EXPECT_FALSE(tails_.told("b"));
  EXPECT_TRUE(tails_.changed().empty());
  EXPECT_TRUE(tails_.told("a")) << "may have missed what b was told";
  EXPECT_EQ(ids_of_changed(), (Ids{1, 2}));
}

TEST_F(ConsoleTailsTest, ManyComeInParts) {
  constexpr u64 kMany = 2 * (ConsoleTails::kAtOnce / ConsoleTails::kTail) + 1;
  for (u64 id = 1; id <= kMany; ++id) print(id, std::string(3 * ConsoleTails::kTail, 'x') + "end");
  Ids told;
  for (int part = 0; part < 2; ++part) {
    std::size_t size = 0;
    for (const auto& [id, text] : tails_.changed()) {
      EXPECT_TRUE(text.ends_with("end"));
      EXPECT_TRUE(told.insert(id.value()).second) << "nobody twice before all had their turn";
      size += text.size();
      print(id.value(), text);  // and is to be told again
    }
    EXPECT_LE(size, ConsoleTails::kAtOnce);
    EXPECT_TRUE(tails_.told("a")) << "it has nothing of some";
  }
  EXPECT_EQ(told.size(), kMany - 1);
  for (const u64 id : ids_of_changed()) told.insert(id);
  EXPECT_EQ(told.size(), kMany) << "who has waited longest comes first";
  EXPECT_FALSE(tails_.told("a")) << "what is printed all the time can wait";
}

TEST_F(ConsoleTailsTest, WhoIsGoneIsForgotten) {
  print(1, "bye");
  EXPECT_EQ(ids_of_changed(), Ids{1});
  EXPECT_FALSE(tails_.told("a"));
  ASSERT_TRUE(os::remove_all(folder_.path() / model::InstanceId(1).text()).ok());
  EXPECT_TRUE(tails_.changed().empty());
  EXPECT_FALSE(tails_.told("b")) << "there is nothing to tell of";
}

}  // namespace
}  // namespace pileus::host
