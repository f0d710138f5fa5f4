// LeaseKeeper and Compactor, over both stores.
#include <atomic>
#include <thread>

#include "state/compactor.h"
#include "state/lease_keeper.h"
#include "state/testing/proxy.h"
#include "state/testing/stores.h"

namespace pileus::state {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

class HelpersTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Store, HelpersTest, all_stores(), name_of);

TEST_P(HelpersTest, ALeaseIsKeptUntilItsKeeperGoes) {
  std::atomic<int> lost = 0;
  {
    const auto keeper = LeaseKeeper::start(store(), seconds(4), [&] { ++lost; }).value();
    put("a", "1", keeper->id());
    std::this_thread::sleep_for(seconds(9));
    EXPECT_TRUE(keeper->holds());
    EXPECT_EQ(value("a"), "1");
  }
  EXPECT_EQ(value("a"), "(none)");
  EXPECT_EQ(lost, 0);
}

TEST_P(HelpersTest, ALeaseThatSomebodyRevokedIsLost) {
  std::atomic<int> lost = 0;
  const auto keeper = LeaseKeeper::start(store(), seconds(5), [&] { ++lost; }).value();
  ASSERT_TRUE(store().revoke_lease(keeper->id()).ok());
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (lost == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(lost, 1);
  EXPECT_FALSE(keeper->holds());
}

TEST_P(HelpersTest, OldHistoryIsForgotten) {
  Compactor compactor(store(), milliseconds(1000));
  const Compactor::Time start{};
  const Revision first = put("a", "1");
  EXPECT_EQ(compactor.step(start).value(), 0U);
  const Revision second = put("a", "2");
  EXPECT_EQ(compactor.step(start + milliseconds(500)).value(), 0U);
  EXPECT_EQ(compactor.step(start + milliseconds(999)).value(), 0U);
  EXPECT_EQ(compactor.step(start + milliseconds(1000)).value(), first);
  EXPECT_EQ(store().get(Get{range()}, first).value().entries.at(0).value, "1");
  EXPECT_EQ(compactor.step(start + milliseconds(1600)).value(), second);
  EXPECT_EQ(store().get(Get{range()}, first).error().code(), ErrorCode::kGone);
  // Nothing has happened since.
  EXPECT_EQ(compactor.step(start + milliseconds(9000)).value(), 0U);
  // Somebody else has done it.
  const Revision third = put("a", "3");
  EXPECT_EQ(compactor.step(start + milliseconds(10000)).value(), 0U);
  ASSERT_TRUE(store().compact(third).ok());
  EXPECT_EQ(compactor.step(start + milliseconds(20000)).value(), 0U);
}

TEST(LeaseKeeper, DoesNotHoldLongerThanTheStoreDoes) {
  if (!EtcdCluster::is_installed()) GTEST_SKIP() << "etcd is not installed; tools/deps installs it";
  const auto cluster = EtcdCluster::start(1);
  Proxy proxy(cluster->client_port(0));
  const auto store = etcd::open({{proxy.url()}, {}, seconds(2)}).value();
  const auto direct = etcd::open({cluster->endpoints(), {}, seconds(60)}).value();
  std::atomic<int> lost = 0;
  const auto keeper = LeaseKeeper::start(*store, seconds(6), [&] { ++lost; }).value();
  ASSERT_TRUE(direct->put("a", "1", keeper->id()).ok());
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_TRUE(keeper->holds());
  proxy.set_mode(Proxy::Mode::kSilent);
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (direct->get("a").value() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  // Asked after the store: whoever still held it then would hold what is another's.
  EXPECT_FALSE(keeper->holds());
  EXPECT_FALSE(direct->get("a").value());
  while (lost == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(lost, 1);
}

}  // namespace
}  // namespace pileus::state
