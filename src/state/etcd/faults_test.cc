// What the etcd store does when connections break, members freeze or die, and the leader changes.
#include "state/etcd/store.h"
#include "state/testing/proxy.h"
#include "state/testing/stores.h"

namespace pileus::state::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EtcdCluster;
using testing::Proxy;

class EtcdFaults : public ::testing::Test {
 protected:
  static constexpr seconds kPatience = EtcdCluster::kPatience;

  void SetUp() override {
    if (!EtcdCluster::is_installed()) GTEST_SKIP() << "etcd is not installed; tools/deps installs it";
  }
  static std::unique_ptr<Store> open_at(std::vector<std::string> endpoints, milliseconds patience = seconds(30)) {
    return open({std::move(endpoints), {}, patience}).value();
  }
  // Events until this value has come, as "1 2 3".
  static std::string values(Watch& watch, const std::string& last) {
    std::string all;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto update = watch.next(seconds(1));
      if (!update.ok()) return all + " error: " + update.error().message();
      for (const Event& event : update.value().events) {
        all += (all.empty() ? "" : " ") + event.entry.value;
        if (event.entry.value == last) return all;
      }
    }
    return all + " (too late)";
  }
  // Of a cluster whose leader may change meanwhile, so that the outcome of a try is not always known.
  static Revision put_in_the_end(Store& store, const std::string& key, const std::string& value) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    auto done = store.put(key, value);
    while (!done.ok() && std::chrono::steady_clock::now() < deadline) {
      EXPECT_TRUE(done.error().code() == ErrorCode::kTimeout || done.error().code() == ErrorCode::kBusy);
      done = store.put(key, value);
    }
    EXPECT_TRUE(done.ok()) << done.error().message();
    return done.ok() ? *done : 0;
  }
  static std::string numbers(int first, int last) {
    std::string all;
    for (int i = first; i <= last; ++i) all += (i == first ? "" : " ") + std::to_string(i);
    return all;
  }
};

TEST_F(EtcdFaults, NobodyThere) {
  const auto store = open_at({"http://127.0.0.1:1"}, milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  const auto done = store->put("a", "1");
  ASSERT_FALSE(done.ok());
  // Nothing was sent: nothing happened.
  EXPECT_EQ(done.error().code(), ErrorCode::kBusy) << done.error().message();
  EXPECT_NE(done.error().message().find("http://127.0.0.1:1"), std::string::npos) << done.error().message();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
  EXPECT_EQ(store->get("a").error().code(), ErrorCode::kBusy);
}

TEST_F(EtcdFaults, ALostAnswerIsToldAsUnknownAndNotSentAgain) {
  const auto cluster = EtcdCluster::start(1);
  Proxy proxy(cluster->client_port(0));
  const auto store = open_at({proxy.url()});
  const auto direct = open_at(cluster->endpoints());
  // With a kept connection, which libcurl would use again by itself.
  ASSERT_TRUE(store->put("a", "0").ok());
  const Revision before = direct->get(Get{KeyRange::all()}).value().revision;
  proxy.set_mode(Proxy::Mode::kCutAnswers);
  const auto done = store->put("a", "1");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::kTimeout) << done.error().message();
  EXPECT_EQ(proxy.cut_answers(), 1);
  const auto now = direct->get(Get{KeyRange::all()}).value();
  EXPECT_EQ(now.revision, before + 1);
  EXPECT_EQ(now.entries.at(0).value, "1");
  // Reads are asked again until they are answered.
  std::thread healer([&] {
    std::this_thread::sleep_for(milliseconds(300));
    proxy.set_mode(Proxy::Mode::kPass);
  });
  const auto read = store->get("a");
  EXPECT_TRUE(read.ok() && read.value()->value == "1");
  healer.join();
  EXPECT_GT(proxy.cut_answers(), 1);
}

TEST_F(EtcdFaults, AChangeThatWasNotSentIsTriedAtTheNextMember) {
  const auto cluster = EtcdCluster::start(1);
  const auto store = open_at({"http://127.0.0.1:1", cluster->endpoint(0)});
  EXPECT_TRUE(store->put("a", "1").ok());
}

TEST_F(EtcdFaults, AWatchOutlivesItsConnections) {
  const auto cluster = EtcdCluster::start(1);
  Proxy proxy(cluster->client_port(0));
  const auto store = open_at({proxy.url()});
  const auto direct = open_at(cluster->endpoints());
  const auto watch = store->watch(KeyRange::all(), 0).value();
  int told = 0;
  for (const Proxy::Mode mode :
       {Proxy::Mode::kPass, Proxy::Mode::kRefuse, Proxy::Mode::kSilent, Proxy::Mode::kCutAnswers}) {
    ASSERT_TRUE(direct->put("a", std::to_string(told + 1)).ok());
    ASSERT_TRUE(direct->put("a", std::to_string(told + 2)).ok());
    EXPECT_EQ(values(*watch, std::to_string(told + 2)), numbers(told + 1, told + 2));
    told += 2;
    proxy.set_mode(mode);
    if (mode != Proxy::Mode::kSilent) proxy.cut();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(direct->put("a", std::to_string(told + i)).ok());
    if (mode != Proxy::Mode::kPass) {
      EXPECT_TRUE(watch->next(milliseconds(500)).value().events.empty());
    }
    proxy.set_mode(Proxy::Mode::kPass);
    EXPECT_EQ(values(*watch, std::to_string(told + 5)), numbers(told + 1, told + 5)) << static_cast<int>(mode);
    told += 5;
  }
}

TEST_F(EtcdFaults, CompactionWhileAWatchIsCutOff) {
  const auto cluster = EtcdCluster::start(1);
  Proxy proxy(cluster->client_port(0));
  const auto store = open_at({proxy.url()});
  const auto direct = open_at(cluster->endpoints());
  ASSERT_TRUE(direct->put("a", "1").ok());
  const auto watch = store->watch(KeyRange::all(), 2).value();
  EXPECT_EQ(values(*watch, "1"), "1");
  proxy.set_mode(Proxy::Mode::kRefuse);
  proxy.cut();
  Revision last = 0;
  for (const char* value : {"2", "3", "4"}) last = direct->put("a", value).value();
  ASSERT_TRUE(direct->compact(last - 1).ok());
  proxy.set_mode(Proxy::Mode::kPass);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto update = watch->next(seconds(1));
  while (update.ok() && update.value().events.empty() && std::chrono::steady_clock::now() < deadline) {
    update = watch->next(seconds(1));
  }
  ASSERT_FALSE(update.ok());
  EXPECT_EQ(update.error().code(), ErrorCode::kGone);
  EXPECT_EQ(watch->compacted(), last - 1);
  const auto again = store->watch(KeyRange::all(), watch->compacted() + 1).value();
  EXPECT_EQ(values(*again, "4"), "4");
}

TEST_F(EtcdFaults, AFrozenMemberIsLeft) {
  const auto cluster = EtcdCluster::start(3);
  const std::size_t leader = cluster->leader().value();
  const std::size_t first = (leader + 1) % 3;
  // Asked first: a follower, which freezes.
  const auto store =
      open_at({cluster->endpoint(first), cluster->endpoint((leader + 2) % 3), cluster->endpoint(leader)});
  const Revision last = put_in_the_end(*store, "a", "1");
  const auto watch = store->watch(KeyRange::all(), last).value();
  EXPECT_EQ(values(*watch, "1"), "1");
  cluster->freeze(first);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(store->get("a").value()->value, "1");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(25)) << "as long as the store's patience";
  // On a busy machine the leader may be another one by now, and frozen: then it takes an election.
  put_in_the_end(*store, "a", "2");
  EXPECT_EQ(values(*watch, "2"), "2");
  cluster->thaw(first);
}

TEST_F(EtcdFaults, TheLeaderIsKilledWhileClientsWork) {
  constexpr int kThreads = 4;
  const auto cluster = EtcdCluster::start(3);
  const auto store = open_at(cluster->endpoints());
  const auto watch = store->watch(KeyRange::prefix("count/"), 0).value();
  std::atomic<bool> stop = false;
  std::atomic<int> unknown = 0;
  int acknowledged[kThreads] = {};
  std::vector<std::thread> threads;
  // Each counts upward by compare-and-set; after an unknown outcome it reads before it goes on.
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string key = "count/" + std::to_string(t);
      while (!stop) {
        const auto now = store->get(key);
        if (!now.ok()) continue;
        const int at = now.value() ? std::stoi(now.value()->value) : 0;
        EXPECT_GE(at, acknowledged[t]) << "an acknowledged change is lost";
        EXPECT_LE(at, acknowledged[t] + 1) << "a change was made twice";
        acknowledged[t] = at;
        const Revision revision = now.value() ? now.value()->mod_revision : 0;
        const auto done = store->commit({{Compare::unchanged(key, revision)}, {Put{key, std::to_string(at + 1)}}, {}});
        if (done.ok()) {
          EXPECT_TRUE(done.value().succeeded) << "nobody else writes this key";
          if (done.value().succeeded) acknowledged[t] = at + 1;
        } else {
          EXPECT_TRUE(done.error().code() == ErrorCode::kTimeout || done.error().code() == ErrorCode::kBusy)
              << done.error().message();
          if (done.error().code() == ErrorCode::kTimeout) ++unknown;
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(milliseconds(1000));
    auto leader = cluster->leader();
    for (const auto begin = std::chrono::steady_clock::now();
         !leader && std::chrono::steady_clock::now() < begin + kPatience; leader = cluster->leader()) {
      std::this_thread::sleep_for(milliseconds(50));  // an election goes on
    }
    EXPECT_TRUE(leader);
    if (!leader) break;
    if (round == 1) {
      cluster->freeze(*leader);
      std::this_thread::sleep_for(milliseconds(2500));
      cluster->thaw(*leader);
    } else {
      cluster->kill_member(*leader);
      std::this_thread::sleep_for(milliseconds(1500));
      cluster->start_member(*leader);
    }
    EXPECT_TRUE(cluster->wait_until_ready());
  }
  std::this_thread::sleep_for(milliseconds(500));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  // The watch tells every step of each counter, once and in order.
  int seen[kThreads] = {};
  int total = 0;
  for (int t = 0; t < kThreads; ++t) {
    const int there = std::stoi(store->get("count/" + std::to_string(t)).value()->value);
    EXPECT_GE(there, acknowledged[t]);
    EXPECT_LE(there, acknowledged[t] + 1);
    total += there;
  }
  EXPECT_GT(total, 50);
  int told = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (told < total && std::chrono::steady_clock::now() < deadline) {
    const auto update = watch->next(seconds(1));
    ASSERT_TRUE(update.ok()) << update.error().message();
    for (const Event& event : update.value().events) {
      const int t = std::stoi(event.entry.key.substr(6));
      EXPECT_EQ(std::stoi(event.entry.value), ++seen[t]);
      ++told;
    }
  }
  EXPECT_EQ(told, total);
  std::printf("%d changes, %d of unknown outcome\n", total, unknown.load());
}

TEST_F(EtcdFaults, WithoutAQuorumNothingIsPromised) {
  const auto cluster = EtcdCluster::start(3);
  const auto store = open_at(cluster->endpoints(), seconds(4));
  put_in_the_end(*store, "a", "1");
  cluster->kill_member(0);
  cluster->kill_member(1);
  const auto done = store->put("a", "2");
  ASSERT_FALSE(done.ok());
  EXPECT_TRUE(done.error().code() == ErrorCode::kTimeout || done.error().code() == ErrorCode::kBusy);
  EXPECT_EQ(store->get("a").error().code(), ErrorCode::kBusy);
  cluster->start_member(0);
  ASSERT_TRUE(cluster->wait_until_ready());
  put_in_the_end(*store, "a", "3");
  EXPECT_EQ(store->get("a").value()->value, "3");
}

}  // namespace
}  // namespace pileus::state::etcd
