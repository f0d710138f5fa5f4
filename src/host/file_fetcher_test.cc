#include "host/file_fetcher.h"

#include <gtest/gtest.h>

#include <atomic>

#include "http/testing/server_fixture.h"
#include "os/file.h"

namespace pileus::host {
namespace {

using namespace std::chrono_literals;

class FileFetcherTest : public ::testing::Test {
 protected:
  // The file at an URL, of which a server sends a piece every 10 ms until it has sent `count`.
  Result<std::string> fetch(const std::string& piece, int count, SlowestServer slowest) {
    const std::shared_ptr<http::Stream> stream = http::Stream::create();
    std::thread sender;
    const auto server = http::testing::serve([&](const http::Request&) {
      sender = std::thread([&stream, &piece, count] {
        for (int i = 0; i < count && stream->write(piece); ++i) std::this_thread::sleep_for(10ms);
        stream->close();
      });
      return http::Response{200, {}, "", nullptr, stream};
    });
    model::TransferDesired task;
    task.trusted = true;
    const auto file = FileFetcher(places_, slowest)
                          .fetch(task, {http::testing::url(*server, "/"), "", ""}, folder_.path(),
                                 [](const char*, double) { return true; });
    if (sender.joinable()) sender.join();
    if (!file) return file.error();
    return os::read_file(*file);
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "fetch_").value();
  const DiskPlaces places_ = DiskPlaces::open(folder_.path() / "host").value();
};

TEST_F(FileFetcherTest, AServerThatTakesItsTimeIsWaitedFor) {
  const auto bytes = fetch("abc", 400, {.bytes = 1, .time = 3s});
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  EXPECT_EQ(bytes->size(), 1200U);
}

// Else one that sends a byte now and then holds up others for years.
TEST_F(FileFetcherTest, AServerThatDripsIsGivenUp) {
  const auto bytes = fetch("a", 10'000, {.bytes = 1 * kMiB, .time = 200ms});
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code(), ErrorCode::kTimeout);
  EXPECT_NE(bytes.error().message().find("too slow"), std::string::npos) << bytes.error().message();
}

}  // namespace
}  // namespace pileus::host
