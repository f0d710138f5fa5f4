#include "os/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "os/file.h"
#include "os/tcp.h"
#include "os/unix_socket.h"

namespace pileus::os {
namespace {

TEST(ChildProcess, ReportsHowItEnded) {
  EXPECT_TRUE(run_program({"true"}).value().status.success());
  EXPECT_EQ(run_program({"sh", "-c", "exit 3"}).value().status.code, 3);
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).value().status.signal, SIGKILL);
  EXPECT_EQ(run_program({"no-such-program-here"}).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(run_program({"/dev/null"}).ok());
}

TEST(ChildProcess, GivesOutputAndEnvironment) {
  const Output output = run_program({"sh", "-c", "echo $A; echo $A >&2"}, {{"A", "b c"}}).value();
  EXPECT_EQ(output.text, "b c\nb c\n");
  EXPECT_EQ(run_program({"sh", "-c", "echo 12345"}, {}, 3).value().text, "45\n");
}

TEST(ChildProcess, DiesWithItsOwner) {
  pid_t pid = 0;
  {
    ChildProcess::Options options;
    options.argv = {"sleep", "100"};
    const ChildProcess child = ChildProcess::spawn(options).value();
    pid = child.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(File, IsReplacedAsAWhole) {
  const auto folder = TemporaryDirectory::create(testing::TempDir() + "file-").value();
  const std::filesystem::path path = folder.path() / "f";
  ASSERT_TRUE(replace_file(path, "one").ok());
  ASSERT_TRUE(replace_file(path, "two").ok());
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_EQ(read_file(path, 2).error().code(), ErrorCode::kInvalid);
  EXPECT_FALSE(replace_file(folder.path() / "no/f", "x").ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(FileLock, HasOneOwner) {
  const auto folder = TemporaryDirectory::create(testing::TempDir() + "lock-").value();
  const std::filesystem::path path = folder.path() / "lock";
  EXPECT_FALSE(FileLock::held(path));
  {
    const Result<FileLock> lock = FileLock::try_acquire(path);
    ASSERT_TRUE(lock.ok());
    EXPECT_TRUE(FileLock::held(path));
    EXPECT_EQ(FileLock::try_acquire(path).error().code(), ErrorCode::kBusy);
  }
  EXPECT_FALSE(FileLock::held(path));
}

TEST(FileLock, IsNotBusyBecauseSomebodyLooks) {
  const auto folder = TemporaryDirectory::create(testing::TempDir() + "lock-").value();
  const std::filesystem::path path = folder.path() / "lock";
  std::atomic<bool> enough = false;
  std::thread looker([&] {
    while (!enough) static_cast<void>(FileLock::held(path));
  });
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(FileLock::try_acquire(path).ok()) << i;
  enough = true;
  looker.join();
}

TEST(FileLock, MayBeKeptUntilTheProcessEnds) {
  const auto folder = TemporaryDirectory::create(testing::TempDir() + "lock-").value();
  const std::filesystem::path path = folder.path() / "lock";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    FileLock::try_acquire(path).value().keep_until_exit();
    ::_exit(FileLock::try_acquire(path).ok() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it was given back before the end";
  EXPECT_FALSE(FileLock::held(path));
}

TEST(LineBuffer, CutsLinesAndRefusesEndlessOnes) {
  LineBuffer lines(4);
  EXPECT_TRUE(lines.append("ab"));
  EXPECT_FALSE(lines.next().has_value());
  EXPECT_TRUE(lines.append("\n\nlonger than four\ncd"));
  EXPECT_EQ(lines.next(), "ab");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "longer than four");
  EXPECT_FALSE(lines.next().has_value());
  EXPECT_FALSE(lines.append("efg"));
}

TEST(UnixSocket, PathsMayBeLong) {
  const auto folder = TemporaryDirectory::create(testing::TempDir() + "socket-").value();
  const std::filesystem::path deep = folder.path() / std::string(200, 'd');
  ASSERT_TRUE(make_directories(deep).ok());
  EXPECT_EQ(connect_unix(deep / "s").error().code(), ErrorCode::kNotFound);
  {
    const Result<Fd> listener = listen_unix(deep / "s");
    ASSERT_TRUE(listener.ok());
    EXPECT_TRUE(connect_unix(deep / "s").ok());
  }
  EXPECT_EQ(connect_unix(deep / "s").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(listen_unix(deep / "s").ok());  // in place of the stale one
}

TEST(Tcp, FindsFreePorts) {
  const u16 port = find_free_port().value();
  EXPECT_NE(port, 0);
  EXPECT_TRUE(check_port_free(port).ok());
  EXPECT_FALSE(read_banner(port, std::chrono::milliseconds(100)).ok());
}

}  // namespace
}  // namespace pileus::os
