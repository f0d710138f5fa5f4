// The mirror on its own: what the conformance tests cannot see. They run on it too.
#include "state/mirror/mirror.h"

#include <thread>

#include "state/mirror/contents.h"
#include "state/testing/stores.h"

namespace pileus::state {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A store that counts its reads, can be lost, and can forget to say that it has done something.
class Below : public Store {
 public:
  explicit Below(const std::filesystem::path& folder) : store_(sqlite::open({folder, seconds(10), 2, 16000}).value()) {}

  Result<TransactionResult> commit(const Transaction& transaction) override {
    Result<TransactionResult> done = store_->commit(transaction);
    if (silent) return Error(ErrorCode::kTimeout, "perhaps");
    return done;
  }
  using Store::get;
  Result<Snapshot> get(const Get& what, Revision revision) override {
    ++reads;
    if (lost) {
      std::this_thread::sleep_for(silence.load());
      return Error(ErrorCode::kBusy, "lost");
    }
    return store_->get(what, revision);
  }
  Result<std::unique_ptr<Watch>> watch(const KeyRange& range, Revision first) override {
    ++watches;
    return store_->watch(range, first);
  }
  Result<Lease> grant_lease(seconds ttl) override { return store_->grant_lease(ttl); }
  Result<seconds> keep_alive(LeaseId lease) override { return store_->keep_alive(lease); }
  Result<> revoke_lease(LeaseId lease) override { return store_->revoke_lease(lease); }
  Result<> compact(Revision revision) override { return store_->compact(revision); }

  std::atomic<int> reads{0};
  std::atomic<int> watches{0};
  std::atomic<bool> lost{false};
  std::atomic<milliseconds> silence{milliseconds(0)};  // before it says that it is lost
  std::atomic<bool> silent{false};

 private:
  const std::unique_ptr<Store> store_;
};

class MirrorTest : public ::testing::Test {
 protected:
  void open(std::size_t history = 8 * kMiB) {
    auto made = std::make_unique<Below>(folder_.path());
    below_ = made.get();
    auto opened = open_mirror(std::move(made), {seconds(5), history});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    mirror_ = std::move(opened).value();
  }
  std::string value(const std::string& key) {
    const auto found = mirror_->get(key);
    if (!found) return "error: " + found.error().message();
    return *found ? (*found)->value : "(none)";
  }

  const os::TemporaryDirectory folder_ = testing::make_folder();
  std::unique_ptr<Store> mirror_;
  Below* below_ = nullptr;
};

TEST_F(MirrorTest, ReadsWhatItCommittedWithoutAskingTheStore) {
  open();
  const int before = below_->reads;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(mirror_->put("a", std::to_string(i)).ok());
    ASSERT_EQ(value("a"), std::to_string(i));
  }
  EXPECT_EQ(below_->reads, before);
}

TEST_F(MirrorTest, SeesWhatOthersCommitAndWhyAConditionFailed) {
  open();
  ASSERT_TRUE(mirror_->put("a", "ours").ok());
  const Revision read_at = (*mirror_->get("a").value()).mod_revision;
  ASSERT_TRUE(below_->put("a", "theirs").ok());
  const auto refused = mirror_->commit({{Compare::unchanged("a", read_at)}, {Put{"a", "again"}}, {}});
  ASSERT_TRUE(refused.ok());
  EXPECT_FALSE(refused->succeeded);
  EXPECT_EQ(value("a"), "theirs") << "else who tries again fails for ever";
}

TEST_F(MirrorTest, AsksTheStoreAfterAnAnswerThatDidNotCome) {
  open();
  below_->silent = true;
  ASSERT_EQ(mirror_->put("a", "perhaps").error().code(), ErrorCode::kTimeout);
  below_->silent = false;
  EXPECT_EQ(value("a"), "perhaps");
  below_->silent = true;
  ASSERT_FALSE(mirror_->put("a", "again").ok());
  below_->lost = true;
  EXPECT_EQ(mirror_->get("a").error().code(), ErrorCode::kBusy) << "what it knows may be old";
  below_->lost = below_->silent = false;
  EXPECT_EQ(value("a"), "again");
}

TEST_F(MirrorTest, ReadsOnWhileTheStoreCannotBeReached) {
  open();
  ASSERT_TRUE(mirror_->put("a", "1").ok());
  below_->lost = true;
  EXPECT_EQ(value("a"), "1");
}

TEST_F(MirrorTest, AStoreThatDoesNotAnswerHoldsNobodyUp) {
  open();
  const auto watch = mirror_->watch(KeyRange::prefix("k"), 0).value();
  below_->silent = below_->lost = true;
  below_->silence = seconds(20);
  ASSERT_FALSE(mirror_->put("kept", "perhaps").ok());
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([this] { EXPECT_EQ(mirror_->get("kept").error().code(), ErrorCode::kBusy); });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(18)) << "one after the other, or as long as the store";
  below_->silent = below_->lost = false;
  const auto deadline = begun + seconds(120);
  while (value("kept") != "perhaps") ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  EXPECT_EQ(watch->next(seconds(60)).value().events.size(), 1U);
}

TEST_F(MirrorTest, AWatchThatHasFallenBehindMissesNothing) {
  open(2000);  // bytes: a few events
  const auto watch = mirror_->watch(KeyRange::prefix("k"), 0).value();
  constexpr int kCount = 500;
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(mirror_->put("k" + std::to_string(i), std::string(100, 'v')).ok());
  int told = 0;
  Revision last = 0;
  while (told < kCount) {
    const auto update = watch->next(seconds(60));
    ASSERT_TRUE(update.ok()) << update.error().message();
    ASSERT_FALSE(update->events.empty());
    for (const Event& event : update->events) {
      ASSERT_EQ(event.entry.key, "k" + std::to_string(told++));
      ASSERT_GT(event.entry.mod_revision, last);
      last = event.entry.mod_revision;
    }
  }
  ASSERT_TRUE(mirror_->put("k", "now").ok());
  const auto update = watch->next(seconds(60));
  ASSERT_TRUE(update.ok());
  ASSERT_EQ(update->events.size(), 1U);
  EXPECT_EQ(update->events[0].entry.value, "now");
}

TEST_F(MirrorTest, WhoOnlySkipsNeverFallsBehind) {
  open(2000);  // bytes: a few events
  const auto watch = mirror_->watch(KeyRange::prefix("k"), 0).value();
  const int watches = below_->watches;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(mirror_->put("k" + std::to_string(i), std::string(100, 'v')).ok());
  EXPECT_TRUE(watch->skip(seconds(60)).value());
  EXPECT_FALSE(watch->skip(milliseconds(0)).value());
  ASSERT_TRUE(mirror_->put("elsewhere", "").ok());
  EXPECT_FALSE(watch->skip(milliseconds(10)).value());
  ASSERT_TRUE(mirror_->put("k", "now").ok());
  EXPECT_TRUE(watch->skip(milliseconds(0)).value());
  EXPECT_EQ(below_->watches, watches) << "the store is not asked for what is passed over";
}

TEST_F(MirrorTest, ManyWritersAtOnceAndItIsWhatTheStoreIs) {
  open();
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([this, t] {
      Store& store = t == 3 ? static_cast<Store&>(*below_) : *mirror_;  // one goes around it
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string((i * 7 + t) % 40);
        Transaction change{{Compare::exists(key)}, {Delete{KeyRange::prefix(key)}}, {Put{key, std::to_string(t)}}};
        EXPECT_TRUE(store.commit(change).ok());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(mirror_->put("end", "").ok());
  const auto here = mirror_->get(Get{KeyRange::all()}, 0);
  const auto there = below_->get(Get{KeyRange::all()}, 0);
  ASSERT_TRUE(here.ok() && there.ok());
  EXPECT_EQ(here->entries, there->entries);
  EXPECT_EQ(here->revision, there->revision);
}

TEST_F(MirrorTest, EndsWhileAWatchWaits) {
  open();
  const auto watch = mirror_->watch(KeyRange::all(), 0).value();
  std::thread waits([&] { EXPECT_EQ(watch->next(seconds(60)).error().code(), ErrorCode::kBusy); });
  std::this_thread::sleep_for(milliseconds(20));
  watch->cancel();
  waits.join();
}

TEST(Contents, LeavesOutWhatItKnowsAlready) {
  Contents contents(8 * kMiB);
  contents.load({{}, 0, false, 5});
  contents.apply(std::vector<Operation>{Put{"a", "1"}, Put{"b", "1"}}, 6);
  Event late{Event::Kind::kPut, {"a", "old", 6, 6, 1, LeaseId::kNone}};
  Event next{Event::Kind::kDelete, {"b", "", 0, 7, 0, LeaseId::kNone}};
  contents.apply(WatchUpdate{{late, next}, 7});
  const GetResult got = contents.get(Get{KeyRange::all()});
  ASSERT_EQ(got.entries.size(), 1U);
  EXPECT_EQ(got.entries[0].value, "1");
  EXPECT_EQ(contents.events(KeyRange::all(), 6).events.size(), 3U);
  EXPECT_EQ(contents.revision(), 7U);
  contents.compact(6);
  EXPECT_EQ(contents.oldest(), 7U);
  EXPECT_EQ(contents.events(KeyRange::all(), 7).events.size(), 1U);
}

}  // namespace
}  // namespace pileus::state
