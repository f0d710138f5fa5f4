// Who may join by a token, and what is said to who may not.
#include "control/join_tokens.h"

#include <gtest/gtest.h>

#include <thread>

#include "control/host_api.h"
#include "control/host_protocol.h"
#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

constexpr model::Millis kHour = 3600 * 1000;

class JoinTokens : public ::testing::Test {
 protected:
  MadeJoinToken make(bool once = false, std::chrono::seconds life = kUsualTokenLife) {
    auto made = make_join_token(cloud_.store(), cloud_.clock, {std::string(64, 'f'), "root", life, once});
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
  }
  HostAnswer join(const std::string& secret) {
    const JoinRequest request{secret, "machine", "", "rack-7", "CSR"};
    return api_.handle({std::string(kJoinPath), encode(request), {}});
  }
  model::JoinToken stored(const MadeJoinToken& made) {
    return cloud_.stored<model::JoinToken>(model::desired_key(made.record.id));
  }
  void expect_refused(const MadeJoinToken& made, const std::string& why) {
    const HostAnswer answer = join(made.token.secret);
    EXPECT_EQ(answer.status, 403);
    EXPECT_NE(answer.body.find(why), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("pileus host token create"), std::string::npos) << answer.body;
  }

  testing::Cloud cloud_{0};
  HostApi api_{cloud_.store(), cloud_.clock, "zone-a",
               [](const std::string& request, const model::HostId& id) -> Result<std::string> {
                 return "signed " + request + " for " + id.text();
               }};
};

TEST_F(JoinTokens, LetHostsIn) {
  const MadeJoinToken made = make();
  const JoinAnswer answer = parse_join_answer(join(made.token.secret).body).value();
  EXPECT_EQ(answer.certificate, "signed CSR for " + answer.id.text());
  const auto desired = cloud_.stored<model::HostDesired>(model::desired_key(answer.id));
  EXPECT_EQ(desired.name, "machine");
  EXPECT_EQ(desired.zone, "zone-a");
  EXPECT_EQ(desired.rack, "rack-7");
  const JoinAnswer second = parse_join_answer(join(made.token.secret).body).value();
  EXPECT_NE(second.id, answer.id);
  EXPECT_EQ(stored(made).uses, 2U);
  const auto events = cloud_.stored<model::EventLog>(model::events_key(made.record.id)).events;
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2].what, "used");
  EXPECT_EQ(events[2].by, second.id.text());
  const auto joined = cloud_.stored<model::EventLog>(model::events_key(answer.id)).events;
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_NE(joined[0].why.find(made.record.id.text()), std::string::npos);
}

TEST_F(JoinTokens, NoRecordHasTheSecret) {
  const MadeJoinToken made = make();
  const auto all = cloud_.store().get(state::Get{state::KeyRange::prefix("")});
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->entries.empty());
  for (const state::KeyValue& entry : all->entries) {
    EXPECT_EQ(entry.value.find(made.token.secret), std::string::npos) << entry.key;
  }
}

TEST_F(JoinTokens, WhatIsNoTokenIsRefused) {
  MadeJoinToken wrong = make();
  wrong.token.secret[0] = wrong.token.secret[0] == '0' ? '1' : '0';
  expect_refused(wrong, "does not know");
}

TEST_F(JoinTokens, Expire) {
  const MadeJoinToken made = make(false, std::chrono::hours(2));
  cloud_.clock.advance(2 * kHour - 1);
  EXPECT_EQ(join(made.token.secret).status, 200);
  cloud_.clock.advance(1);
  expect_refused(made, "has expired");
  EXPECT_EQ(state_of(stored(made), cloud_.clock.now()), JoinTokenState::kExpired);
}

TEST_F(JoinTokens, OfOneHostLetOneHostIn) {
  const MadeJoinToken made = make(true);
  EXPECT_EQ(join(made.token.secret).status, 200);
  expect_refused(made, "was for one host");
  EXPECT_EQ(state_of(stored(made), cloud_.clock.now()), JoinTokenState::kUsed);
}

TEST_F(JoinTokens, OfOneHostLetOneHostInAtOnceToo) {
  const MadeJoinToken made = make(true);
  std::atomic<u32> in = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { in += join(made.token.secret).status == 200 ? 1U : 0U; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(in, 1U);
  EXPECT_EQ(cloud_.keys(model::kHostsPrefix).size(), 2U) << "one host: its wish and its events";
}

TEST_F(JoinTokens, AreRevoked) {
  const MadeJoinToken made = make();
  ASSERT_TRUE(revoke_join_token(cloud_.store(), cloud_.clock, made.record.id, "root"));
  expect_refused(made, "was revoked");
  EXPECT_TRUE(revoke_join_token(cloud_.store(), cloud_.clock, made.record.id, "root")) << "again";
  EXPECT_EQ(revoke_join_token(cloud_.store(), cloud_.clock, model::JoinTokenId(7), "root").error().code(),
            ErrorCode::kNotFound);
}

TEST_F(JoinTokens, AreListedForAWeekAfterTheirEnd) {
  const MadeJoinToken made = make(false, std::chrono::hours(1));
  cloud_.clock.advance(kHour + kEndedTokenLife - 1);
  make(false, std::chrono::hours(24));
  EXPECT_EQ(list_join_tokens(cloud_.store())->size(), 2U);
  cloud_.clock.advance(1);
  make(false, std::chrono::hours(24));
  EXPECT_EQ(list_join_tokens(cloud_.store())->size(), 2U) << "one more, one less";
  EXPECT_EQ(cloud_.stored<model::EventLog>(model::events_key(made.record.id)).events.size(), 0U);
}

TEST_F(JoinTokens, LiveAMinuteToAYear) {
  for (const std::chrono::seconds life : {std::chrono::seconds(0), std::chrono::seconds(-5), std::chrono::seconds(59),
                                          std::chrono::seconds(kLongestTokenLife) + std::chrono::seconds(1)}) {
    const auto made = make_join_token(cloud_.store(), cloud_.clock, {std::string(64, 'f'), "root", life, false});
    EXPECT_EQ(made.error().code(), ErrorCode::kInvalid) << life.count();
  }
}

}  // namespace
}  // namespace pileus::control
