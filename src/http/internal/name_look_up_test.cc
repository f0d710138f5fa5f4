#include "http/internal/name_look_up.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <condition_variable>
#include <thread>

namespace pileus::http {
namespace {

using Clock = std::chrono::steady_clock;

// Answers when it is told to.
class SlowNames {
 public:
  Result<Addresses> ask(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    if (host == "unknown") return Error(ErrorCode::kNotFound, "unknown: no such name");
    return std::make_shared<const addrinfo>();
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int asked_ = 0;
};

TEST(NameLookUp, EndsByItsDeadline) {
  const auto names = std::make_shared<SlowNames>();
  NameLookUp look_up([names](const std::string& host, const std::string&) { return names->ask(host); });
  const auto late = look_up.find("slow", "80", Clock::now() + std::chrono::milliseconds(20));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(late.error().message().find("in time"), std::string::npos);
  // The one that was left behind is not asked a second time.
  EXPECT_FALSE(look_up.find("slow", "80", Clock::now() + std::chrono::milliseconds(20)).ok());
  std::thread opener([&] { names->open(); });
  EXPECT_TRUE(look_up.find("slow", "80", Clock::now() + std::chrono::seconds(60)).ok());
  opener.join();
  EXPECT_LE(names->asked(), 2) << "the third may have come after the first had its answer";
}

TEST(NameLookUp, TellsWhyThereIsNone) {
  const auto names = std::make_shared<SlowNames>();
  names->open();
  NameLookUp look_up([names](const std::string& host, const std::string&) { return names->ask(host); });
  const auto none = look_up.find("unknown", "80", Clock::now() + std::chrono::seconds(60));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message(), "unknown: no such name");
}

TEST(NameLookUp, MayEndBeforeItsThreadDoes) {
  const auto names = std::make_shared<SlowNames>();
  {
    NameLookUp look_up([names](const std::string& host, const std::string&) { return names->ask(host); });
    EXPECT_FALSE(look_up.find("slow", "80", Clock::now()).ok());
  }
  names->open();
}

TEST(NameLookUp, AddressesInNumbersTakeNoTime) {
  const auto found = look_up("127.0.0.1", "80", Clock::now() - std::chrono::seconds(1));
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ((*found)->ai_family, AF_INET);
  EXPECT_TRUE(look_up("::1", "80", Clock::now()).ok());
  EXPECT_TRUE(look_up("localhost", "80", Clock::now() + std::chrono::seconds(60)).ok());
}

}  // namespace
}  // namespace pileus::http
