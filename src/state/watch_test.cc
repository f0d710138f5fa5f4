// Watches, of both stores.
#include <thread>

#include "state/testing/stores.h"

namespace pileus::state {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

class WatchTest : public Conformance {
 protected:
  std::unique_ptr<Watch> watch(Revision first) {
    auto made = store().watch(range(), first);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return std::move(made).value();
  }
  // "+a=1 -b" until `count` events have come; each revision's events in brackets. Ends with what stopped it.
  static std::string told(Watch& watch, std::size_t count) {
    std::string all;
    Revision revision = 0;
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    for (std::size_t seen = 0; seen < count;) {
      const auto update = watch.next(seconds(60));
      if (!update.ok()) return all + " error: " + update.error().message();
      if (std::chrono::steady_clock::now() > deadline) return all + " (too late)";
      for (const Event& event : update.value().events) {
        if (event.entry.mod_revision != revision) all += all.empty() ? "[" : "][";
        revision = event.entry.mod_revision;
        const bool is_put = event.kind == Event::Kind::kPut;
        all += (is_put ? "+" : "-") + event.entry.key.substr(prefix().size()) + (is_put ? "=" + event.entry.value : "");
        ++seen;
      }
      EXPECT_GE(update.value().revision, revision);
    }
    return all + "]";
  }
};
INSTANTIATE_TEST_SUITE_P(Store, WatchTest, all_stores(), name_of);

TEST_P(WatchTest, TellsThePastInOrderAndThenThePresent) {
  const Revision first = put("a", "1");
  ASSERT_TRUE(store().commit({{}, {Put{key("c"), "1"}, Delete{KeyRange::key(key("a"))}, Put{key("b"), "1"}}, {}}).ok());
  ASSERT_TRUE(store().put("elsewhere" + key("x"), "").ok());
  const auto watching = watch(first);
  EXPECT_EQ(told(*watching, 4), "[+a=1][+c=1-a+b=1]");
  put("d", "1");
  EXPECT_EQ(told(*watching, 1), "[+d=1]");
  const auto later = watch(first + 1);
  EXPECT_EQ(told(*later, 4), "[+c=1-a+b=1][+d=1]");
}

TEST_P(WatchTest, TellsEverythingOfAnEntry) {
  const Lease lease = store().grant_lease(seconds(60)).value();
  const Revision first = put("a", "1", lease.id);
  const Revision second = put("a", "2", lease.id);
  ASSERT_TRUE(store().erase(key("a")).ok());
  const auto watching = watch(first);
  std::vector<Event> events;
  while (events.size() < 3) {
    const auto update = watching->next(seconds(60));
    ASSERT_TRUE(update.ok());
    events.insert(events.end(), update.value().events.begin(), update.value().events.end());
  }
  EXPECT_EQ(events[0].entry, (KeyValue{key("a"), "1", first, first, 1, lease.id}));
  EXPECT_EQ(events[1].entry, (KeyValue{key("a"), "2", first, second, 2, lease.id}));
  EXPECT_EQ(events[2].kind, Event::Kind::kDelete);
  EXPECT_EQ(events[2].entry, (KeyValue{key("a"), "", 0, second + 1, 0, LeaseId::kNone}));
}

TEST_P(WatchTest, FromNowOn) {
  put("a", "1");
  const auto watching = watch(0);
  put("b", "1");
  EXPECT_EQ(told(*watching, 1), "[+b=1]");
}

TEST_P(WatchTest, WaitsForARevisionToCome) {
  const Revision now = put("a", "1");
  const auto watching = watch(now + 2);
  EXPECT_TRUE(watching->next(milliseconds(50)).value().events.empty());
  put("b", "1");
  put("c", "1");
  EXPECT_EQ(told(*watching, 1), "[+c=1]");
}

TEST_P(WatchTest, NothingIsNoError) {
  const auto watching = watch(0);
  const auto begin = std::chrono::steady_clock::now();
  const auto update = watching->next(milliseconds(100));
  ASSERT_TRUE(update.ok());
  EXPECT_TRUE(update.value().events.empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(95));
}

TEST_P(WatchTest, AskingAgainAndAgainWithoutTimeGetsThere) {
  const auto watching = watch(0);
  for (const char* each : {"a", "b"}) {
    put(each, "1");
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    std::size_t seen = 0;
    while (seen == 0 && std::chrono::steady_clock::now() < deadline) {
      seen = watching->next(milliseconds(0)).value().events.size();
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(seen, 1U) << each;
  }
}

TEST_P(WatchTest, SkippingTellsOnlyThatSomethingHappened) {
  const auto watching = watch(0);
  EXPECT_FALSE(watching->skip(milliseconds(10)).value());
  put("a", "1");
  put("b", "1");
  EXPECT_TRUE(watching->skip(seconds(60)).value());
  put("c", "1");
  // The second may have come after the first was skipped.
  std::string rest = told(*watching, 1);
  if (rest == "[+b=1]") rest += told(*watching, 1);
  EXPECT_TRUE(rest == "[+c=1]" || rest == "[+b=1][+c=1]") << rest;
  watching->cancel();
  EXPECT_EQ(watching->skip(seconds(60)).error().code(), ErrorCode::kBusy);
}

TEST_P(WatchTest, SnapshotThenWatchMissesNothing) {
  constexpr int kPuts = 200;
  std::thread writer([this] {
    for (int i = 0; i < kPuts; ++i) put(std::to_string(i), "x");
  });
  const Snapshot snapshot = store().get(Get{range()}).value();
  std::size_t seen = snapshot.entries.size();
  const auto watching = watch(snapshot.revision + 1);
  Revision last = snapshot.revision;
  while (seen < kPuts) {
    const auto update = watching->next(seconds(60));
    ASSERT_TRUE(update.ok());
    ASSERT_FALSE(update.value().events.empty());
    for (const Event& event : update.value().events) {
      EXPECT_GT(event.entry.mod_revision, last);
      last = event.entry.mod_revision;
      ++seen;
    }
  }
  writer.join();
  EXPECT_EQ(seen, static_cast<std::size_t>(kPuts));
}

TEST_P(WatchTest, ARevisionIsNotToldInParts) {
  // More events than one update holds, by transactions that do not fit its limit evenly.
  constexpr std::size_t kEach = 120;
  constexpr std::size_t kTransactions = 20;
  Revision first = 0;
  for (std::size_t i = 0; i < kTransactions; ++i) {
    Transaction transaction;
    for (std::size_t k = 0; k < kEach; ++k) transaction.then.emplace_back(Put{key(std::to_string(k)), ""});
    const Revision revision = store().commit(transaction).value().revision;
    if (i == 0) first = revision;
  }
  const auto watching = watch(first);
  std::size_t seen = 0;
  while (seen < kEach * kTransactions) {
    const auto update = watching->next(seconds(60));
    ASSERT_TRUE(update.ok());
    ASSERT_FALSE(update.value().events.empty());
    EXPECT_EQ(update.value().events.size() % kEach, 0U);
    seen += update.value().events.size();
  }
}

TEST_P(WatchTest, TellsOfCompactionAndWhereToBeginAnew) {
  const Revision first = put("a", "1");
  put("a", "2");
  const Revision last = put("a", "3");
  ASSERT_TRUE(store().compact(last - 1).ok());
  for (const Revision from : {first, last - 1}) {
    const auto watching = watch(from);
    const auto update = watching->next(seconds(60));
    ASSERT_FALSE(update.ok()) << "watch from " << from << ", compacted " << last - 1;
    EXPECT_EQ(update.error().code(), ErrorCode::kGone) << update.error().message();
    EXPECT_EQ(watching->compacted(), last - 1);
    EXPECT_EQ(watching->next(seconds(60)).error().code(), ErrorCode::kGone);
  }
  const auto watching = watch(last);
  EXPECT_EQ(told(*watching, 1), "[+a=3]");
}

TEST_P(WatchTest, CompactionDoesNotDisturbAWatchThatKeepsUp) {
  put("a", "1");
  const auto watching = watch(0);
  const Revision last = put("b", "1");
  EXPECT_EQ(told(*watching, 1), "[+b=1]");
  ASSERT_TRUE(store().compact(last).ok());
  put("c", "1");
  EXPECT_EQ(told(*watching, 1), "[+c=1]");
}

TEST_P(WatchTest, CancelEndsAWait) {
  const auto watching = watch(0);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    watching->cancel();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(watching->next(seconds(120)).error().code(), ErrorCode::kBusy);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(60));
  canceller.join();
  EXPECT_EQ(watching->next(seconds(120)).error().code(), ErrorCode::kBusy);
}

TEST_P(WatchTest, ManyWatchesSeeTheSame) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 20; ++i) watches.push_back(watch(0));
  put("a", "1");
  ASSERT_TRUE(store().erase(key("a")).ok());
  for (const auto& watching : watches) EXPECT_EQ(told(*watching, 2), "[+a=1][-a]");
}

}  // namespace
}  // namespace pileus::state
