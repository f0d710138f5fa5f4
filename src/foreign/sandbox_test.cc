// What a program in the sandbox sees and may: told by bash, which tries.
#include "foreign/sandbox.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "os/file.h"
#include "os/tcp.h"

namespace pileus::foreign {
namespace {

using namespace std::chrono_literals;
constexpr const char* kBash = "/usr/bin/bash";
constexpr const char* kSleep = "/usr/bin/sleep";

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"input", "output", "secret"}) write(name, name);
  }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& bytes) { std::ofstream(path(name)) << bytes; }
  std::string bytes(const std::string& name) { return os::read_file(path(name)).value(); }

  Sandbox sandbox() { return {.input = path("input"), .output = path("output"), .output_limit = kMiB}; }
  // What the script prints.
  std::string told(const std::string& script) {
    const auto done = run_sandboxed(sandbox(), {kBash, "-c", script});
    return done ? done->text : done.error().message();
  }
  bool succeeds(const std::string& script, const Sandbox& sandbox) {
    const auto done = run_sandboxed(sandbox, {kBash, "-c", script});
    EXPECT_TRUE(done.ok()) << done.error().message();
    return done.ok() && done->status.success();
  }
  bool succeeds(const std::string& script) { return succeeds(script, sandbox()); }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "sandbox_").value();
};

TEST_F(SandboxTest, ReadsItsInputAndWritesItsOutput) {
  EXPECT_EQ(told("echo -n \"$(</input)\""), "input");
  EXPECT_TRUE(succeeds("echo -n new > /output"));
  EXPECT_EQ(bytes("output"), "new");
}

TEST_F(SandboxTest, SeesNoOtherFile) {
  EXPECT_FALSE(succeeds("read -r line < /etc/passwd"));
  EXPECT_FALSE(succeeds("read -r line < " + path("secret").string()));
  EXPECT_EQ(told("echo /* /.[!.]* /dev/* /usr/* /usr/bin/*"),
            "/dev /input /lib /lib64 /output /usr /.[!.]* /dev/null /usr/bin /usr/lib /usr/lib64 "
            "/usr/bin/bash /usr/bin/prlimit\n");
}

TEST_F(SandboxTest, WritesNothingButItsOutput) {
  EXPECT_FALSE(succeeds("echo x > /input"));
  EXPECT_EQ(bytes("input"), "input");
  for (const char* place : {"/x", "/dev/x", "/usr/x", "/usr/bin/x"}) {
    EXPECT_FALSE(succeeds(std::string("echo x > ") + place)) << place;
  }
}

TEST_F(SandboxTest, KnowsNothingOfUs) {
  ASSERT_EQ(::setenv("PILEUS_SECRET", "known", 1), 0);
  EXPECT_EQ(told("echo -n ${PILEUS_SECRET-unset}"), "unset");
  EXPECT_FALSE(succeeds("kill -0 " + std::to_string(::getpid()))) << "our process";
  EXPECT_EQ(told("echo -n $EUID"), "65534");
}

TEST_F(SandboxTest, ReachesNoNetwork) {
  const u16 port = os::find_free_port().value();
  const os::Fd server = os::listen_loopback(port).value();
  const std::string reach = "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port);
  EXPECT_TRUE(os::run_program({kBash, "-c", reach})->status.success()) << "outside of the sandbox it works";
  EXPECT_FALSE(succeeds(reach));
}

TEST_F(SandboxTest, TakesNoMoreThanItMay) {
  EXPECT_FALSE(succeeds("printf '%2000000s' x > /output"));
  EXPECT_LE(bytes("output").size(), kMiB);
  Sandbox tight = sandbox();
  tight.address_space = 64 * kMiB;
  tight.processor_time = 1s;
  EXPECT_FALSE(succeeds("printf -v x '%100000000s' x", tight));
  EXPECT_FALSE(succeeds("while :; do :; done", tight));
  EXPECT_EQ(told("ulimit -c"), "0\n");
}

TEST_F(SandboxTest, IsGivenUpAtOnce) {
  const auto done =
      run_sandboxed(sandbox(), {kBash, "-c", "echo begun; while :; do :; done"},
                    [](std::string_view printed) { return printed.find("begun") == std::string_view::npos; });
  EXPECT_EQ(done.error().code(), ErrorCode::kGone);
}

TEST_F(SandboxTest, WithoutASandboxNothingRuns) {
  const auto done = run_sandboxed(sandbox(), {"/usr/bin/no-such-program"});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(done.error().message().find("no-such-program"), std::string::npos) << done.error().message();
}

bool sleeps(const std::string& word) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const Result<std::string> line = os::read_file(entry.path() / "cmdline");
    if (line && *line == std::string(kSleep) + '\0' + word + '\0') return true;
  }
  return false;
}

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 120s;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(10ms);
  return condition();
}

TEST_F(SandboxTest, EndsWithWhoRunsIt) {
  const std::string word = "1000000" + std::to_string(::getpid());
  const pid_t runner = ::fork();
  if (runner == 0) {
    (void)run_sandboxed(sandbox(), {kSleep, word});
    ::_exit(1);
  }
  EXPECT_TRUE(comes_true([&] { return sleeps(word); }));
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return !sleeps(word); }));
}

}  // namespace
}  // namespace pileus::foreign
