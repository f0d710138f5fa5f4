// Consoles between readers and hosts, without either: readers are texts, hosts ask.
#include "control/console_exchange.h"

#include <gtest/gtest.h>

#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

const model::InstanceId kInstance(7);
const model::InstanceId kOther(8);
const model::HostId kHost(1);
const model::HostId kStranger(2);

struct Screen {
  std::string text;
  std::string ended;
  bool gone = false;
};

class ConsoleExchangeTest : public ::testing::Test {
 protected:
  Result<> open(model::InstanceId id, const std::shared_ptr<Screen>& screen, model::HostId host = kHost) {
    return exchange_.open(id, host, [screen](std::string_view output, std::string_view ended) {
      screen->text += output;
      if (!ended.empty()) screen->ended = ended;
      return !screen->gone;
    });
  }
  std::string fetch(u64 after) {
    std::string text;
    for (const ConsoleInput& each : exchange_.wishes(kHost, after).input) text += each.data;
    return text;
  }
  u64 sequence() { return exchange_.wishes(kHost, 0).sequence; }

  testing::FakeClock clock_;
  std::vector<model::HostId> woken_;
  ConsoleExchange exchange_{clock_, [this](model::HostId host) { woken_.push_back(host); }};
  std::shared_ptr<Screen> screen_ = std::make_shared<Screen>();
};

TEST_F(ConsoleExchangeTest, TellsTheHostWhatIsOpen) {
  const u64 before = sequence();
  EXPECT_TRUE(exchange_.wishes(kHost, 0).open.empty());
  ASSERT_TRUE(open(kInstance, screen_));
  EXPECT_EQ(woken_, std::vector{kHost});
  EXPECT_EQ(exchange_.wishes(kHost, 0).open, std::vector{kInstance});
  EXPECT_GT(sequence(), before);
  EXPECT_TRUE(exchange_.wishes(kStranger, 0).open.empty());
}

TEST_F(ConsoleExchangeTest, ShowsOutputToAllReaders) {
  ASSERT_TRUE(open(kInstance, screen_));
  exchange_.put_output(kHost, {kInstance, "login: ", ""});
  const auto later = std::make_shared<Screen>();
  ASSERT_TRUE(open(kInstance, later));
  exchange_.put_output(kHost, {kInstance, "root", ""});
  EXPECT_EQ(screen_->text, "login: root");
  EXPECT_EQ(later->text, "login: root");
}

TEST_F(ConsoleExchangeTest, TakesOutputOfItsHostOnly) {
  ASSERT_TRUE(open(kInstance, screen_));
  exchange_.put_output(kStranger, {kInstance, "forged", "ended"});
  exchange_.put_output(kHost, {kOther, "of another", ""});
  EXPECT_EQ(screen_->text, "");
  EXPECT_EQ(screen_->ended, "");
}

TEST_F(ConsoleExchangeTest, KeepsWhatIsTypedUntilTheHostHasIt) {
  EXPECT_EQ(exchange_.type(kInstance, "x").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(open(kInstance, screen_));
  ASSERT_TRUE(exchange_.type(kInstance, "ls"));
  ASSERT_TRUE(exchange_.type(kInstance, "\r"));
  EXPECT_EQ(fetch(0), "ls\r");
  EXPECT_EQ(fetch(0), "ls\r");  // the answer was lost on its way
  EXPECT_EQ(fetch(sequence()), "");
}

TEST_F(ConsoleExchangeTest, DropsWhatWasTypedLongAgo) {
  ASSERT_TRUE(open(kInstance, screen_));
  ASSERT_TRUE(exchange_.type(kInstance, "reboot\r"));
  clock_.advance(ConsoleExchange::kTypedLives + 1);
  ASSERT_TRUE(exchange_.type(kInstance, "w"));
  EXPECT_EQ(fetch(0), "w");
}

TEST_F(ConsoleExchangeTest, EndsWithTheVm) {
  ASSERT_TRUE(open(kInstance, screen_));
  exchange_.put_output(kHost, {kInstance, "Power down", "the VM has ended"});
  EXPECT_EQ(screen_->text, "Power down");
  EXPECT_EQ(screen_->ended, "the VM has ended");
  EXPECT_TRUE(exchange_.wishes(kHost, 0).open.empty());
}

TEST_F(ConsoleExchangeTest, ClosesWhatNobodyReads) {
  ASSERT_TRUE(open(kInstance, screen_));
  exchange_.sweep();
  EXPECT_EQ(exchange_.wishes(kHost, 0).open.size(), 1U);
  screen_->gone = true;
  const u64 before = sequence();
  woken_.clear();
  exchange_.sweep();
  EXPECT_TRUE(exchange_.wishes(kHost, 0).open.empty());
  EXPECT_GT(sequence(), before);
  EXPECT_EQ(woken_, std::vector{kHost});
}

TEST_F(ConsoleExchangeTest, IsBounded) {
  for (std::size_t i = 0; i < ConsoleExchange::kMaxReaders; ++i) ASSERT_TRUE(open(kInstance, screen_));
  EXPECT_EQ(open(kInstance, screen_).error().code(), ErrorCode::kExhausted);
  for (u64 i = 1; i < ConsoleExchange::kMaxConsoles; ++i) ASSERT_TRUE(open(model::InstanceId(100 + i), screen_));
  EXPECT_EQ(open(kOther, screen_).error().code(), ErrorCode::kExhausted);
  EXPECT_TRUE(open(kOther, screen_, kStranger));
  const std::string half(ConsoleExchange::kMaxWaiting / 2, 'x');
  EXPECT_TRUE(exchange_.type(kInstance, half));
  EXPECT_TRUE(exchange_.type(kInstance, half));
  EXPECT_EQ(exchange_.type(kInstance, "x").error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(fetch(sequence()), "");
  EXPECT_TRUE(exchange_.type(kInstance, "x"));
}

TEST_F(ConsoleExchangeTest, OpensAnewWhereTheInstanceRunsNow) {
  ASSERT_TRUE(open(kInstance, screen_));
  exchange_.put_output(kHost, {kInstance, "old", ""});
  const auto later = std::make_shared<Screen>();
  ASSERT_TRUE(open(kInstance, later, kStranger));
  EXPECT_EQ(later->text, "");
  EXPECT_TRUE(exchange_.wishes(kHost, 0).open.empty());
  EXPECT_EQ(exchange_.wishes(kStranger, 0).open, std::vector{kInstance});
}

TEST(ConsoleProtocol, ComesBackAsItWasSent) {
  const std::string bytes("\x1b[1m\0\xff\n", 7);
  const ConsoleWishes wishes{9, {kInstance, kOther}, {{8, kInstance, bytes}, {9, kOther, ""}}};
  const ConsoleWishes read = parse_console_wishes(encode(wishes)).value();
  EXPECT_EQ(read.sequence, 9U);
  EXPECT_EQ(read.open, wishes.open);
  ASSERT_EQ(read.input.size(), 2U);
  EXPECT_EQ(read.input[0].data, bytes);
  EXPECT_EQ(read.input[0].sequence, 8U);
  const ConsoleOutput output = parse_console_output(encode(ConsoleOutput{kInstance, bytes, "why"})).value();
  EXPECT_EQ(output.id, kInstance);
  EXPECT_EQ(output.data, bytes);
  EXPECT_EQ(output.ended, "why");
}

TEST(ConsoleProtocol, RefusesWhatIsWrong) {
  const std::string id = kInstance.text();
  const std::vector<std::string> outputs = {
      "",
      "[]",
      "{}",
      R"({"id":")" + id + R"(","data":"?","ended":""})",
      R"({"id":"x","data":"","ended":""})",
      R"({"id":7,"data":"","ended":""})",
      R"({"id":")" + id + R"(","data":""})",
      R"({"id":")" + id + R"(","data":")" + std::string(200'000, 'A') + R"(","ended":""})"};
  for (const std::string& text : outputs) {
    EXPECT_FALSE(parse_console_output(text).ok()) << text.substr(0, 80);
  }
  for (const char* text : {"{}", R"({"sequence":-1,"open":[],"input":[]})", R"({"sequence":1,"open":[7],"input":[]})",
                           R"({"sequence":1,"open":[],"input":[7]})", R"({"sequence":1,"open":[],"input":[{}]})"}) {
    EXPECT_FALSE(parse_console_wishes(text).ok()) << text;
  }
}

}  // namespace
}  // namespace pileus::control
