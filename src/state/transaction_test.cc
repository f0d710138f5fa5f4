// Transactions, reads and revisions, of both stores.
#include <thread>

#include "state/testing/stores.h"

namespace pileus::state {
namespace {

using namespace testing;

class TransactionTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Store, TransactionTest, all_stores(), name_of);

TEST_P(TransactionTest, AKeyHasItsRevisionsAndVersion) {
  const Revision first = put("a", "1");
  const Revision second = put("a", "2");
  EXPECT_EQ(second, first + 1);
  const auto got = store().get(key("a"));
  ASSERT_TRUE(got.ok() && got.value());
  EXPECT_EQ(*got.value(), (KeyValue{key("a"), "2", first, second, 2, LeaseId::kNone}));

  EXPECT_TRUE(store().erase(key("a")).value());
  EXPECT_FALSE(store().erase(key("a")).value());
  EXPECT_EQ(value("a"), "(none)");
  const Revision again = put("a", "3");
  // The deletion that found nothing made no revision.
  EXPECT_EQ(again, second + 2);
  EXPECT_EQ(store().get(key("a")).value()->create_revision, again);
  EXPECT_EQ(store().get(key("a")).value()->version, 1U);
}

TEST_P(TransactionTest, KeysAndValuesAreAnyBytes) {
  const std::string bytes("\0\xFF\x80\n\"\\", 6);
  put(bytes, bytes);
  put("empty", "");
  EXPECT_EQ(value(bytes), bytes);
  EXPECT_EQ(value("empty"), "");
  EXPECT_EQ(store().get(Get{range()}).value().entries[0].key, key(bytes));
}

TEST_P(TransactionTest, CompareAndSet) {
  const Revision first = put("a", "1");
  const Transaction change{{Compare::unchanged(key("a"), first)}, {Put{key("a"), "2"}}, {Get{KeyRange::key(key("a"))}}};
  const auto won = store().commit(change);
  ASSERT_TRUE(won.ok());
  EXPECT_TRUE(won.value().succeeded);
  EXPECT_EQ(won.value().revision, first + 1);
  const auto lost = store().commit(change);
  ASSERT_TRUE(lost.ok());
  EXPECT_FALSE(lost.value().succeeded);
  EXPECT_EQ(lost.value().revision, first + 1);
  ASSERT_EQ(lost.value().results.size(), 1U);
  EXPECT_EQ(std::get<GetResult>(lost.value().results[0]).entries.at(0).value, "2");
}

TEST_P(TransactionTest, EveryCondition) {
  const Revision revision = put("a", "m");
  put("a", "m");
  using Field = Compare::Field;
  using Is = Compare::Is;
  const auto holds = [&](Compare compare) {
    const auto done = store().commit({{std::move(compare)}, {}, {}});
    EXPECT_TRUE(done.ok());
    return done.ok() && done.value().succeeded;
  };
  EXPECT_TRUE(holds(Compare::exists(key("a"))));
  EXPECT_FALSE(holds(Compare::absent(key("a"))));
  EXPECT_FALSE(holds(Compare::exists(key("b"))));
  EXPECT_TRUE(holds(Compare::absent(key("b"))));
  EXPECT_TRUE(holds(Compare::unchanged(key("b"), 0)));
  EXPECT_TRUE(holds(Compare::value_is(key("a"), "m")));
  EXPECT_FALSE(holds(Compare::value_is(key("a"), "n")));
  EXPECT_FALSE(holds(Compare::value_is(key("b"), "")));
  const struct {
    Field field;
    u64 number;
  } rows[] = {{Field::kCreateRevision, revision},
              {Field::kModRevision, revision + 1},
              {Field::kVersion, 2},
              {Field::kLease, 0}};
  for (const auto& row : rows) {
    for (const u64 number : {row.number == 0 ? 0 : row.number - 1, row.number, row.number + 1}) {
      const u64 has = row.number;
      EXPECT_EQ(holds({key("a"), row.field, Is::kEqual, number, {}}), has == number);
      EXPECT_EQ(holds({key("a"), row.field, Is::kNotEqual, number, {}}), has != number);
      EXPECT_EQ(holds({key("a"), row.field, Is::kLess, number, {}}), has < number);
      EXPECT_EQ(holds({key("a"), row.field, Is::kGreater, number, {}}), has > number);
    }
  }
  for (const std::string other : {"l", "m", "n", "mm"}) {
    EXPECT_EQ(holds({key("a"), Field::kValue, Is::kLess, 0, other}), std::string("m") < other);
    EXPECT_EQ(holds({key("a"), Field::kValue, Is::kGreater, 0, other}), std::string("m") > other);
    EXPECT_EQ(holds({key("a"), Field::kValue, Is::kNotEqual, 0, other}), std::string("m") != other);
  }
}

TEST_P(TransactionTest, OneTransactionIsOneRevisionAndSeesItself) {
  put("old1", "x");
  const Revision before = put("old2", "x");
  const auto done = store().commit(
      {{Compare::exists(key("old1")), Compare::absent(key("new"))},
       {Put{key("new"), "1"}, Delete{KeyRange::prefix(key("old"))}, Get{range()}, Put{key("other"), "2"}},
       {}});
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(done.value().revision, before + 1);
  ASSERT_EQ(done.value().results.size(), 4U);
  EXPECT_EQ(std::get<DeleteResult>(done.value().results[1]).count, 2U);
  EXPECT_EQ(names(std::get<GetResult>(done.value().results[2]).entries), "new");
  EXPECT_EQ(names(), "new other");
  EXPECT_EQ(store().get(key("new")).value()->mod_revision, before + 1);
  EXPECT_EQ(store().get(key("other")).value()->mod_revision, before + 1);
}

TEST_P(TransactionTest, NothingChangedIsNoRevision) {
  const Revision before = put("a", "1");
  EXPECT_EQ(store().commit({{}, {Delete{KeyRange::key(key("missing"))}, Get{range()}}, {}}).value().revision, before);
  EXPECT_EQ(store().commit({}).value().revision, before);
}

TEST_P(TransactionTest, RangesInOrderWithLimit) {
  for (const char* name : {"c", "a", "b/2", "b/1", "b0", "b", "\xFF"}) put(name, name);
  EXPECT_EQ(names(), "a b b/1 b/2 b0 c \xFF");
  const auto page = store().get(Get{range(), 2}).value();
  EXPECT_EQ(names(page.entries), "a b");
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.count, 7U);
  const auto rest = store().get(Get{{key("b") + '\0', KeyRange::prefix(prefix()).end}, 5}).value();
  EXPECT_EQ(names(rest.entries), "b/1 b/2 b0 c \xFF");
  EXPECT_FALSE(rest.more);
  EXPECT_EQ(rest.count, 5U);
  EXPECT_EQ(names(store().get(Get{KeyRange::prefix(key("b/"))}).value().entries), "b/1 b/2");
  EXPECT_EQ(names(store().get(Get{KeyRange::prefix(key("\xFF"))}).value().entries), "\xFF");
  EXPECT_EQ(names(store().get(Get{{key("b"), key("c")}}).value().entries), "b b/1 b/2 b0");
  const auto keys = store().get(Get{KeyRange::key(key("c")), 0, true}).value();
  EXPECT_EQ(keys.entries.at(0).value, "");
  EXPECT_EQ(keys.entries.at(0).version, 1U);
  EXPECT_GE(store().get(Get{KeyRange::all()}).value().entries.size(), 7U);
  EXPECT_GE(store().get(Get{{key("c"), ""}}).value().entries.size(), 2U);
}

TEST_P(TransactionTest, ThePastCanBeReadUntilItIsCompacted) {
  const Revision one = put("a", "1");
  const Revision two = put("b", "1");
  put("a", "2");
  ASSERT_TRUE(store().erase(key("b")).ok());
  const Revision last = put("c", "1");
  const auto at = [&](Revision revision) { return store().get(Get{range()}, revision); };
  EXPECT_EQ(names(at(one).value().entries), "a");
  EXPECT_EQ(at(one).value().revision, last);
  EXPECT_EQ(names(at(two).value().entries), "a b");
  EXPECT_EQ(at(two).value().entries[0].value, "1");
  EXPECT_EQ(at(two + 1).value().entries[0].value, "2");
  EXPECT_EQ(names(at(two + 2).value().entries), "a");
  EXPECT_EQ(names(at(0).value().entries), "a c");
  EXPECT_EQ(store().get(Get{range(), 1}, two).value().count, 2U);
  EXPECT_TRUE(store().get(Get{range(), 1}, two).value().more);
  EXPECT_EQ(at(last + 1).error().code(), ErrorCode::kInvalid);

  EXPECT_EQ(store().compact(last + 1).error().code(), ErrorCode::kInvalid);
  ASSERT_TRUE(store().compact(two + 1).ok());
  EXPECT_EQ(at(two).error().code(), ErrorCode::kGone);
  EXPECT_EQ(names(at(two + 1).value().entries), "a b");
  EXPECT_EQ(at(two + 1).value().entries[0].value, "2");
  EXPECT_EQ(names(at(0).value().entries), "a c");
  EXPECT_EQ(store().compact(two).error().code(), ErrorCode::kGone);
  EXPECT_EQ(store().compact(two + 1).error().code(), ErrorCode::kGone);
}

TEST_P(TransactionTest, RefusesWhatBreaksTheRulesAndDoesNothing) {
  const Revision before = put("a", "1");
  const std::string a = key("a");
  std::vector<Operation> too_many;
  for (std::size_t i = 0; i <= kMaxOperations; ++i) too_many.emplace_back(Put{key(std::to_string(i)), ""});
  const std::vector<Compare> conditions(kMaxOperations + 1, Compare::exists(a));
  const Transaction wrong[] = {
      {{}, {Put{"", "x"}}, {}},
      {{}, {Put{std::string(kMaxKeySize + 1, 'k'), "x"}}, {}},
      {{}, {Put{a, std::string(kMaxTransactionSize, 'v')}}, {}},
      {{}, {Put{a, "x"}, Put{a, "y"}}, {}},
      {{}, {Put{a, "x"}, Delete{range()}}, {}},
      {{}, {}, {Delete{range()}, Put{a, "x"}}},
      {{}, {Delete{{"b", "a"}}}, {}},
      {{}, too_many, {}},
      {conditions, {}, {}},
      {{Compare::exists("")}, {}, {}},
  };
  for (const Transaction& transaction : wrong) {
    const auto done = store().commit(transaction);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code(), ErrorCode::kInvalid) << done.error().message();
  }
  EXPECT_EQ(store().get(Get{{"b", "a"}}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(store().watch({"b", "a"}, 0).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(store().get(Get{range()}).value().revision, before);
}

TEST_P(TransactionTest, TheLargestAllowedOnesWork) {
  std::vector<Operation> many;
  for (std::size_t i = 0; i < kMaxOperations; ++i) many.emplace_back(Put{key("many" + std::to_string(i)), ""});
  const std::vector<Compare> conditions(kMaxOperations, Compare::absent(key("none")));
  ASSERT_TRUE(store().commit({conditions, many, many}).ok());
  const std::string long_key = prefix() + std::string(kMaxKeySize - prefix().size(), 'k');
  const std::string value(kMaxTransactionSize - long_key.size(), 'v');
  ASSERT_TRUE(store().commit({{}, {Put{long_key, value}}, {}}).ok());
  EXPECT_EQ(store().get(long_key).value()->value, value);
  EXPECT_EQ(store().get(Get{range()}).value().entries.size(), kMaxOperations + 1);
}

TEST_P(TransactionTest, ManyThreadsCountWithoutLosingOne) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  put("counter", "0");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int done = 0; done < kRounds;) {
        const auto now = store().get(key("counter")).value();
        const std::string next = std::to_string(std::stoi(now->value) + 1);
        const auto result =
            store().commit({{Compare::unchanged(key("counter"), now->mod_revision)}, {Put{key("counter"), next}}, {}});
        ASSERT_TRUE(result.ok()) << result.error().message();
        if (result.value().succeeded) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value("counter"), std::to_string(kThreads * kRounds));
}

}  // namespace
}  // namespace pileus::state
