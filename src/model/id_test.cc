#include "model/id.h"

#include <gtest/gtest.h>

#include <set>

#include "model/event.h"
#include "model/host.h"
#include "model/keys.h"

namespace pileus::model {
namespace {

TEST(IdTest, HasTheFormOfEc2) {
  EXPECT_EQ(InstanceId(0x123456789abcdef0).text(), "i-0123456789abcdef0");
  EXPECT_EQ(ImageId(1).text(), "ami-00000000000000001");
  EXPECT_EQ(InstanceId().text(), "");
}

TEST(IdTest, GoesThroughTextUnchanged) {
  std::set<u64> seen;
  for (int i = 0; i < 1000; i++) {
    const auto id = VolumeId::random();
    seen.insert(id.value());
    const auto parsed = VolumeId::parse(id.text());
    ASSERT_TRUE(parsed.ok()) << id.text();
    EXPECT_EQ(parsed.value(), id);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(IdTest, TellsMalformedFromUnknown) {
  for (const char* text : {"", "i-", "i-123", "i-0123456789abcdef", "i-0123456789abcdef01", "i-0123456789ABCDEF0",
                           "ami-0123456789abcdef0", "i_0123456789abcdef0", "i-0123456789abcdefg"}) {
    ASSERT_FALSE(InstanceId::parse(text).ok()) << text;
    EXPECT_EQ(InstanceId::parse(text).error().code(), ErrorCode::kInvalid) << text;
  }
  for (const char* text : {"i-1234567890abcdef0", "i-00000000000000000"}) {
    ASSERT_FALSE(InstanceId::parse(text).ok()) << text;
    EXPECT_EQ(InstanceId::parse(text).error().code(), ErrorCode::kNotFound) << text;
  }
}

TEST(IdTest, AccountsHaveTwelveDigits) {
  EXPECT_TRUE(AccountId::parse("000000000001").ok());
  EXPECT_TRUE(AccountId::parse(AccountId::random().text()).ok());
  for (const char* text : {"", "12345678901", "1234567890123", "12345678901x"})
    EXPECT_FALSE(AccountId::parse(text).ok());
}

TEST(Keys, AreSplitAsTheyAreMade) {
  const InstanceId id(7);
  const std::string key = placed_key(id);
  const auto parts = split_key(IdKind::kInstance, key);
  EXPECT_EQ(parts.id, id.text());
  EXPECT_EQ(parts.part, "placed");
  EXPECT_EQ(split_key(IdKind::kHost, placed_key(id)).id, "");
  EXPECT_EQ(split_key(IdKind::kInstance, "v1/instances/").id, "");
}

TEST(Keys, OfTokensCannotLeaveTheirFolder) {
  const auto account = AccountId::parse("000000000001").value();
  EXPECT_EQ(token_key(account, "RunInstances", "a/b"), "v1/tokens/000000000001/RunInstances/612f62");
}

TEST(Events, AreBounded) {
  EventLog log;
  for (u64 i = 0; i < kMaxEvents + 5; i++) append(log, {i, "test", "event", std::string(kMaxEventText + 9, 'x')});
  EXPECT_EQ(log.events.size(), kMaxEvents);
  EXPECT_EQ(log.dropped, 5U);
  EXPECT_EQ(log.events.front().at, 5U);
  EXPECT_EQ(log.events.back().why.size(), kMaxEventText);
}

TEST(Types, OfANewCloudAreGood) {
  std::set<std::string> names;
  for (const InstanceType& type : default_instance_types()) {
    EXPECT_TRUE(check(type).ok()) << type.name;
    EXPECT_TRUE(names.insert(type.name).second) << type.name;
  }
  EXPECT_TRUE(names.contains("t3.micro"));
}

TEST(Types, ThatNoHostCouldRunAreRefused) {
  const InstanceType good{"a.b", {1, 32, 1}, true};
  EXPECT_TRUE(check(good).ok());
  for (const InstanceType& bad :
       {InstanceType{"", {1, 32, 1}}, InstanceType{"A", {1, 32, 1}}, InstanceType{"a/b", {1, 32, 1}},
        InstanceType{"a", {0, 32, 1}}, InstanceType{"a", {255, 32, 1}}, InstanceType{"a", {1, 31, 1}},
        InstanceType{"a", {1, 32, 0}}}) {
    EXPECT_FALSE(check(bad).ok());
  }
}

TEST(Sellable, KeepsMemoryBackBeforeItOvercommits) {
  HostDesired desired;
  desired.cpu_percent = 250;
  desired.memory_percent = 150;
  desired.reserved_memory_mib = 1024;
  HostObserved observed;
  observed.capacity = {3, 5120, 100};
  EXPECT_EQ(sellable(desired, observed), (Resources{7, 6144, 100}));
  desired.reserved_memory_mib = 9999;
  EXPECT_EQ(sellable(desired, observed).memory_mib, 0U);
}

}  // namespace
}  // namespace pileus::model
