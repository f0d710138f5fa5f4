// Leases, of both stores. etcd's shortest lease is two seconds or so.
#include <thread>

#include "state/testing/stores.h"

namespace pileus::state {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

class LeaseTest : public Conformance {
 protected:
  // Whether the key goes within so long.
  bool goes(const std::string& name, seconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (value(name) == "(none)") return true;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return false;
  }
};
INSTANTIATE_TEST_SUITE_P(Store, LeaseTest, all_stores(), name_of);

TEST_P(LeaseTest, ItsEndDeletesItsKeysInOneTransaction) {
  const Lease lease = store().grant_lease(seconds(4)).value();
  EXPECT_GE(lease.ttl, seconds(4));
  put("a", "1", lease.id);
  const Revision last = put("b", "1", lease.id);
  EXPECT_EQ(store().get(key("a")).value()->lease, lease.id);
  const auto watching = store().watch(range(), last + 1).value();
  put("c", "1");
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Event> deletions;
  while (deletions.size() < 2 && std::chrono::steady_clock::now() - begin < lease.ttl + seconds(60)) {
    const auto update = watching->next(seconds(1));
    ASSERT_TRUE(update.ok());
    for (const Event& event : update.value().events) {
      if (event.kind == Event::Kind::kDelete) deletions.push_back(event);
    }
  }
  ASSERT_EQ(deletions.size(), 2U);
  EXPECT_EQ(deletions[0].entry.mod_revision, deletions[1].entry.mod_revision);
  EXPECT_EQ(names(), "c");
  EXPECT_EQ(store().keep_alive(lease.id).error().code(), ErrorCode::kNotFound);
}

TEST_P(LeaseTest, LastsWhileItIsKeptAlive) {
  const Lease lease = store().grant_lease(seconds(3)).value();
  put("a", "1", lease.id);
  const auto until = std::chrono::steady_clock::now() + lease.ttl + seconds(1);
  while (std::chrono::steady_clock::now() < until) {
    const auto kept = store().keep_alive(lease.id);
    ASSERT_TRUE(kept.ok()) << kept.error().message();
    EXPECT_EQ(kept.value(), lease.ttl);
    EXPECT_EQ(value("a"), "1");
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_TRUE(goes("a", lease.ttl + seconds(60)));
}

TEST_P(LeaseTest, RevokedAtOnce) {
  const Lease lease = store().grant_lease(seconds(60)).value();
  put("a", "1", lease.id);
  ASSERT_TRUE(store().revoke_lease(lease.id).ok());
  EXPECT_EQ(value("a"), "(none)");
  EXPECT_EQ(store().revoke_lease(lease.id).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().keep_alive(lease.id).error().code(), ErrorCode::kNotFound);
}

TEST_P(LeaseTest, APutReplacesTheLeaseOfItsKey) {
  const Lease one = store().grant_lease(seconds(60)).value();
  const Lease two = store().grant_lease(seconds(60)).value();
  for (const char* name : {"a", "b", "c"}) put(name, "1", one.id);
  put("a", "2");
  put("b", "2", two.id);
  ASSERT_TRUE(store().erase(key("c")).ok());
  put("c", "2");
  ASSERT_TRUE(store().revoke_lease(one.id).ok());
  EXPECT_EQ(names(), "a b c");
  ASSERT_TRUE(store().revoke_lease(two.id).ok());
  EXPECT_EQ(names(), "a c");
}

TEST_P(LeaseTest, NothingCanBePutWithoutIt) {
  const Revision before = put("a", "1");
  const Lease lease = store().grant_lease(seconds(60)).value();
  ASSERT_TRUE(store().revoke_lease(lease.id).ok());
  for (const LeaseId id : {lease.id, LeaseId{123456789}}) {
    const auto done = store().commit({{}, {Put{key("b"), "1"}, Put{key("a"), "2", id}}, {}});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code(), ErrorCode::kNotFound) << done.error().message();
  }
  EXPECT_EQ(names(), "a");
  EXPECT_EQ(store().get(Get{range()}).value().revision, before);
  // The branch that is not taken does no harm.
  EXPECT_TRUE(store().commit({{}, {Put{key("a"), "3"}}, {Put{key("a"), "2", lease.id}}}).ok());
}

TEST_P(LeaseTest, RefusesImpossibleTimes) {
  for (const seconds ttl : {seconds(0), seconds(-1), kMaxTtl + seconds(1)}) {
    EXPECT_EQ(store().grant_lease(ttl).error().code(), ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace pileus::state
