// What the SQLite store promises when its process is killed, its disk is full, or somebody else has its folder.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "state/sqlite/schema.h"
#include "state/testing/stores.h"

namespace pileus::state::sqlite {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::make_folder;

Result<std::unique_ptr<Store>> open_at(const std::filesystem::path& folder) { return open({folder, seconds(10), 4}); }

// Runs `work` in a process of its own; what it returns is the exit status.
pid_t in_child(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  CHECK(pid >= 0);
  if (pid == 0) ::_exit(work());
  return pid;
}

int status_of(pid_t pid) {
  int status = 0;
  CHECK(::waitpid(pid, &status, 0) == pid);
  return status;
}

// One thread of the writer that is going to be killed: transaction N of thread T changes three keys together. Says
// "T N revision" into the pipe once it is acknowledged.
void write_until_killed(Store& store, int pipe, int thread, int first) {
  for (int n = first;; ++n) {
    const std::string me = std::to_string(thread);
    const std::string number = std::to_string(n);
    Transaction transaction;
    transaction.conditions = {n == 0 ? Compare::absent("last/" + me)
                                     : Compare::value_is("last/" + me, std::to_string(n - 1))};
    transaction.then = {Put{"last/" + me, number}, Put{"a/" + me + "/" + number, number},
                        Put{"b/" + me + "/" + number, std::string(300, 'b')}};
    const auto done = store.commit(transaction);
    if (!done.ok() || !done.value().succeeded) ::_exit(3);
    const std::string line = me + " " + number + " " + std::to_string(done.value().revision) + "\n";
    // Less than PIPE_BUF: never in parts.
    if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(4);
    if (n % 50 == 49) static_cast<void>(store.compact(done.value().revision - 10).ok());
  }
}

TEST(Durability, KilledAtAnyInstantItHasAllThatWasAcknowledgedAndNothingHalf) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  const auto folder = make_folder();
  std::mt19937 random(20260101);
  int next[kThreads] = {};  // the first number that is not known to be there
  Revision last_revision = 0;
  u64 acknowledged = 0;
  for (int round = 0; round < kRounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = in_child([&] {
      auto store = open_at(folder.path());
      if (!store.ok()) return 2;
      std::vector<std::thread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back(write_until_killed, std::ref(**store), ends[1], t, next[t]);
      }
      for (std::thread& thread : threads) thread.join();
      return 0;
    });
    ::close(ends[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    const int status = status_of(child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);

    std::string said;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
      said.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    std::istringstream lines(said);
    int promised[kThreads];
    std::copy(std::begin(next), std::end(next), promised);
    int thread = 0, number = 0;
    for (Revision revision = 0; lines >> thread >> number >> revision;) {
      promised[thread] = number + 1;
      last_revision = std::max(last_revision, revision);
      ++acknowledged;
    }

    auto opened = open_at(folder.path());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    Store& store = **opened;
    EXPECT_GE(store.get(Get{KeyRange::all(), 1}).value().revision, last_revision);
    for (int t = 0; t < kThreads; ++t) {
      const std::string me = std::to_string(t);
      const auto last = store.get("last/" + me).value();
      const int there = last ? std::stoi(last->value) + 1 : 0;
      // All that was acknowledged, and at most the one that was on its way.
      EXPECT_GE(there, promised[t]);
      EXPECT_LE(there, promised[t] + 1);
      for (const char* kind : {"a/", "b/"}) {
        EXPECT_EQ(store.get(Get{KeyRange::prefix(kind + me + "/")}).value().count, static_cast<u64>(there));
      }
      next[t] = there;
    }
  }
  EXPECT_GT(acknowledged, 100U);
  std::printf("%llu transactions were acknowledged before %d kills\n", static_cast<unsigned long long>(acknowledged),
              kRounds);
}

TEST(Durability, LeasesOutliveARestart) {
  const auto folder = make_folder();
  Lease lease;
  {
    const auto store = open_at(folder.path()).value();
    lease = store->grant_lease(seconds(4)).value();
    ASSERT_TRUE(store->put("a", "1", lease.id).ok());
    ASSERT_TRUE(store->put("b", "1").ok());
  }
  const auto store = open_at(folder.path()).value();
  EXPECT_EQ(store->get("a").value()->lease, lease.id);
  EXPECT_EQ(store->keep_alive(lease.id).value(), seconds(4));
  EXPECT_NE(store->grant_lease(seconds(60)).value().id, lease.id);
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (store->get("a").value() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(store->get("a").value());
  EXPECT_TRUE(store->get("b").value());
}

TEST(Durability, WhatWasCompactedGoesFromTheFile) {
  const auto folder = make_folder();
  const auto store = open_at(folder.path()).value();
  Revision last = 0;
  for (int i = 0; i < 3000; ++i) last = store->put("key/" + std::to_string(i % 30), std::to_string(i)).value();
  ASSERT_TRUE(store->erase("key/7").value());
  ASSERT_TRUE(store->compact(last + 1).ok());
  const auto rows = [&] {
    auto database = open_for_reading(folder.path() / "state.db").value();
    auto count = database.prepare("SELECT count(*) FROM log").value();
    EXPECT_TRUE(count.step().value());
    return count.number(0);
  };
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (rows() != 29 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(rows(), 29U);
  EXPECT_EQ(store->get(Get{KeyRange::prefix("key/")}).value().count, 29U);
}

TEST(Durability, ASecondProcessIsRefusedByName) {
  const auto folder = make_folder();
  const auto store = open_at(folder.path()).value();
  const int owner = ::getpid();
  const pid_t child = in_child([&] {
    const auto second = open_at(folder.path());
    if (second.ok() || second.error().code() != ErrorCode::kBusy) return 1;
    const std::string& message = second.error().message();
    if (message.find(folder.path().string()) == std::string::npos) return 2;
    return message.find("process " + std::to_string(owner)) == std::string::npos ? 3 : 0;
  });
  EXPECT_EQ(status_of(child), 0);
  // And so is a second store of the same process.
  EXPECT_EQ(open_at(folder.path()).error().code(), ErrorCode::kBusy);
}

TEST(Durability, AFolderThatCannotBeWritten) {
  const auto folder = make_folder();
  ASSERT_TRUE(open_at(folder.path()).value()->put("a", "1").ok());
  // As somebody without rights, since root may write everything.
  const pid_t child = in_child([&] {
    if (::chmod(folder.path().c_str(), 0555) != 0) return 1;
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
    const auto opened = open_at(folder.path());
    if (opened.ok()) return 3;
    if (opened.error().code() != ErrorCode::kPermission) return 4;
    return opened.error().message().find(folder.path().string()) == std::string::npos ? 5 : 0;
  });
  EXPECT_EQ(status_of(child) >> 8, 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(open_at(folder.path()).value()->get("a").value()->value, "1");
}

TEST(Durability, FilesOfOthersAreRefused) {
  const auto folder = make_folder();
  std::ofstream(folder.path() / "state.db") << std::string(8192, 'x');
  EXPECT_EQ(open_at(folder.path()).error().code(), ErrorCode::kCorrupt);
  const auto other = make_folder();
  ASSERT_TRUE(Database::open(other.path() / "state.db", false)
                  .value()
                  .execute("CREATE TABLE t(x); PRAGMA user_version = 1")
                  .ok());
  EXPECT_EQ(open_at(other.path()).error().code(), ErrorCode::kCorrupt);
  ASSERT_TRUE(Database::open(other.path() / "state.db", false)
                  .value()
                  .execute("PRAGMA application_id = 0x50696C53; PRAGMA user_version = 2")
                  .ok());
  EXPECT_EQ(open_at(other.path()).error().code(), ErrorCode::kUnsupported);
}

// Fills the small disk at `folder` through the store; 0 if all is as promised.
int fill_disk(const std::filesystem::path& folder) {
  auto opened = open_at(folder);
  if (!opened.ok()) return 20;
  Store& store = **opened;
  int there = 0;
  Result<Revision> done = store.put("key/0", std::string(20'000, 'v'));
  for (; done.ok() && there < 1000; done = store.put("key/" + std::to_string(there), std::string(20'000, 'v'))) ++there;
  if (done.ok()) return 21;
  if (done.error().code() != ErrorCode::kExhausted) return 22;
  if (done.error().message().find(folder.string()) == std::string::npos) return 23;
  // It goes on serving what it has.
  if (store.get(Get{KeyRange::all(), 0, true}).value().count != static_cast<u64>(there)) return 24;
  if (store.put("more", std::string(20'000, 'v')).ok()) return 25;
  // With space it works again, without a restart.
  std::filesystem::remove(folder / "ballast");
  if (!store.put("after", std::string(20'000, 'v')).ok()) return 26;
  opened = Error(ErrorCode::kIo, "closed");
  auto again = open_at(folder);
  if (!again.ok()) {
    std::fprintf(stderr, "%s\n", again.error().message().c_str());
    return 27;
  }
  const auto all = (*again)->get(Get{KeyRange::all()}).value();
  for (const KeyValue& entry : all.entries) {
    if (entry.value != std::string(20'000, 'v')) return 28;
  }
  return all.count == static_cast<u64>(there) + 1 ? 0 : 29;
}

TEST(Durability, AFullDiskLosesNothing) {
  constexpr int kNoMount = 77;
  const auto folder = make_folder();
  const pid_t child = in_child([&] {
    // A disk of our own that nobody else sees.
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return kNoMount;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNoMount;
    if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=4m") != 0) return kNoMount;
    std::ofstream(folder.path() / "ballast") << std::string(1'000'000, 'x');
    return fill_disk(folder.path());
  });
  const int status = status_of(child);
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kNoMount) GTEST_SKIP() << "may not mount a file system here";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "see fill_disk()";
}

}  // namespace
}  // namespace pileus::state::sqlite
