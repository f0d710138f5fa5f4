// The disk fails at every point in turn: what was acknowledged is there afterwards, what was refused is not, and nothing
// is there in part.
#include "base/log.h"
#include "state/testing/faulty_disk.h"
#include "state/testing/stores.h"

namespace pileus::state::sqlite {
namespace {

using testing::FaultyDisk;

Result<std::unique_ptr<Store>> open_at(const std::filesystem::path& folder) {
  Options options;
  options.folder = folder;
  options.readers = 1;
  options.log_pages = 1000;  // the log is emptied by the writer, at a point that is the same each time
  return open(options);
}

struct Promise {
  std::string key;
  bool there;  // it was acknowledged
  bool perhaps;  // nobody knows
};

// Some changes, large enough that the log is checkpointed in between; what came of them.
std::vector<Promise> change(Store& store, const std::string& prefix, int count) {
  std::vector<Promise> promises;
  for (int i = 0; i < count; ++i) {
    const std::string key = prefix + std::to_string(i);
    Transaction transaction;
    for (const char* part : {"/a", "/b", "/c"}) transaction.then.emplace_back(Put{key + part, std::string(9000, 'v')});
    const auto done = store.commit(transaction);
    const bool unknown = !done.ok() && done.error().code() == ErrorCode::kTimeout;
    if (!done.ok() && !unknown) {
      EXPECT_TRUE(done.error().code() == ErrorCode::kExhausted || done.error().code() == ErrorCode::kIo)
          << done.error().message();
    }
    promises.push_back({key, done.ok(), unknown});
  }
  return promises;
}

void check(Store& store, const std::vector<Promise>& promises, const std::string& when) {
  for (const Promise& promise : promises) {
    const auto found = store.get(Get{KeyRange::prefix(promise.key + "/")});
    ASSERT_TRUE(found.ok()) << when << ": " << found.error().message();
    const std::size_t count = found.value().entries.size();
    if (promise.perhaps) {
      EXPECT_TRUE(count == 0 || count == 3) << when << ": " << promise.key << " is there in part";
    } else {
      EXPECT_EQ(count, promise.there ? 3U : 0U) << when << ": " << promise.key;
    }
    for (const KeyValue& entry : found.value().entries) EXPECT_EQ(entry.value, std::string(9000, 'v')) << when;
  }
}

// Every `step`th point of the changes, one fault of `length` points at a time.
void fail_everywhere(FaultyDisk::Fault fault, int length, int step) {
  constexpr int kChanges = 45;
  FaultyDisk::install();
  log::set_level(log::Level::kOff);  // thousands of lines that say what is tested here
  int faults = 0;
  for (int point = 1;; point += step) {
    const auto folder = testing::make_folder();
    auto store = open_at(folder.path());
    ASSERT_TRUE(store.ok()) << store.error().message();
    std::vector<Promise> promises = change(**store, "before/", 5);
    FaultyDisk::arm(point, length, fault);
    const auto during = change(**store, "during/", kChanges);
    const bool hit = FaultyDisk::passed() >= point;
    FaultyDisk::disarm();
    promises.insert(promises.end(), during.begin(), during.end());
    const std::string when = "fault at point " + std::to_string(point);
    check(**store, promises, when);
    // A full disk that has space again is no reason to restart.
    const auto after = change(**store, "after/", 2);
    if (fault == FaultyDisk::Fault::kFull) {
      EXPECT_TRUE(after[0].there && after[1].there) << when;
    }
    promises.insert(promises.end(), after.begin(), after.end());
    store = Error(ErrorCode::kIo, "closed");
    auto again = open_at(folder.path());
    ASSERT_TRUE(again.ok()) << when << ": " << again.error().message();
    check(**again, promises, when + ", after a restart");
    EXPECT_TRUE((*again)->put("works", "again").ok()) << when;
    if (!hit) break;
    ++faults;
  }
  log::set_level(log::Level::kInfo);
  EXPECT_GT(faults, 30);
  std::printf("%d points failed in turn\n", faults);
}

TEST(SqliteFaults, NoSpaceForOneWrite) { fail_everywhere(FaultyDisk::Fault::kFull, 1, 13); }
TEST(SqliteFaults, NoSpaceFromSomeWriteOn) { fail_everywhere(FaultyDisk::Fault::kFull, 1'000'000, 17); }
TEST(SqliteFaults, OneWriteOrFsyncFails) { fail_everywhere(FaultyDisk::Fault::kBroken, 1, 19); }
TEST(SqliteFaults, TheDiskGoesAway) { fail_everywhere(FaultyDisk::Fault::kBroken, 1'000'000, 23); }

}  // namespace
}  // namespace pileus::state::sqlite
