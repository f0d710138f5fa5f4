#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <mutex>

#include "client/cloud.h"
#include "http/server.h"
#include "os/file.h"

namespace pileus::client {
namespace {

// A cloud that gives prepared answers, one after the other, and keeps what it was asked.
class CloudTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = http::Server::start({}, [this](const http::Request& request) {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
                http::Response response = answers_.front();
                if (answers_.size() > 1) answers_.erase(answers_.begin());
                return response;
              }).value();
    settings_ = {.endpoint = "http://127.0.0.1:" + std::to_string(server_->port()),
                 .region = "here",
                 .access_key = "AKIATEST",
                 .secret_key = "secret",
                 .ca = {}};
  }
  void answer(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    answers_.push_back(std::move(response));
  }

  std::mutex mutex_;
  std::vector<http::Response> answers_;
  std::vector<http::Request> requests_;
  std::unique_ptr<http::Server> server_;
  Settings settings_;
};

TEST_F(CloudTest, SignsAFormOfTheActionAndItsParameters) {
  answer(200, "<XResponse><requestId>r-1</requestId><return>true</return></XResponse>");
  const Cloud cloud = Cloud::connect(settings_).value();
  const Answer result = cloud.call("DeleteKeyPair", {{"KeyName", "a b&c=\xC3\xA9"}}).value();
  EXPECT_EQ(result.request_id, "r-1");
  EXPECT_EQ(result.root.text("return"), "true");
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].method, "POST");
  EXPECT_EQ(requests_[0].body, "Action=DeleteKeyPair&KeyName=a%20b%26c%3D%C3%A9&Version=2016-11-15");
  const std::string signature(requests_[0].headers.get("Authorization"));
  EXPECT_TRUE(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/")) << signature;
  EXPECT_NE(signature.find("/here/ec2/aws4_request"), std::string::npos) << signature;
  EXPECT_EQ(signature.find("secret"), std::string::npos);
}

TEST_F(CloudTest, SetsOfItemsAreWalkedOverAllPages) {
  answer(200,
         "<R><reservationSet><item><a><b>1</b></a></item><item><a><b>2</b></a></item></reservationSet>"
         "<nextToken>more</nextToken></R>");
  answer(200, "<R><reservationSet><item><a><b>3</b></a></item></reservationSet></R>");
  const Cloud cloud = Cloud::connect(settings_).value();
  std::string seen;
  const std::vector<Answer> pages = cloud.pages("DescribeInstances", {}).value();
  for (const Answer& page : pages) {
    for (const Node& item : page.root.items("reservationSet")) seen += item.text("a/b");
  }
  EXPECT_EQ(seen, "123");
  EXPECT_NE(requests_[1].body.find("NextToken=more"), std::string::npos);
}

TEST_F(CloudTest, RefusalsKeepTheirCodeAndTheirSentence) {
  answer(400,
         "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>There is no i-1</Message></Error>"
         "</Errors><RequestID>r</RequestID></Response>");
  const Cloud cloud = Cloud::connect(settings_).value();
  const Answer refused = cloud.ask("StopInstances", {}).value();
  EXPECT_EQ(refused.error_code, "InvalidInstanceID.NotFound");
  EXPECT_FALSE(refused.ok());
  const Result<Answer> called = cloud.call("StopInstances", {});
  ASSERT_FALSE(called);
  EXPECT_EQ(called.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(called.error().message(), "There is no i-1 (InvalidInstanceID.NotFound)");
}

TEST_F(CloudTest, TooManyRequestsAreSentAgain) {
  for (int i = 0; i < 2; ++i) {
    answer(503,
           "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow down</Message></Error></Errors>"
           "<RequestID>r</RequestID></Response>");
  }
  answer(200, "<XResponse><return>true</return></XResponse>");
  const Cloud cloud = Cloud::connect(settings_).value();
  EXPECT_TRUE(cloud.call("RunInstances", {{"ClientToken", "t"}}).ok());
  ASSERT_EQ(requests_.size(), 3U);
  EXPECT_EQ(requests_[2].body, requests_[0].body);
}

TEST_F(CloudTest, WhatIsNoAnswerOfACloudIsSaid) {
  answer(200, "hello");
  answer(404, "<html/>");
  answer(500, "<Response/>");
  const Cloud cloud = Cloud::connect(settings_).value();
  for (int i = 0; i < 3; ++i) {
    const Result<Answer> result = cloud.ask("DescribeHosts", {});
    ASSERT_FALSE(result) << i;
    EXPECT_EQ(result.error().code(), ErrorCode::kCorrupt) << i;
  }
  server_->stop(std::chrono::seconds(1));
  const Result<Answer> gone = cloud.ask("DescribeHosts", {});
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().message().find("pileus up"), std::string::npos) << gone.error().message();
}

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kVariables) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  static constexpr const char* kVariables[] = {"PILEUS_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                               "AWS_REGION", "AWS_DEFAULT_REGION"};
  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create("/tmp/pileus-settings-").value();
  std::filesystem::path file_ = folder_.path() / "client.json";
};

TEST_F(SettingsTest, AreReadAsTheyWereWrittenAndForTheOwnerOnly) {
  const Settings settings = {
      .endpoint = "https://cloud:1", .region = "r", .access_key = "a", .secret_key = "s", .ca = "/ca.pem"};
  ASSERT_TRUE(write_settings(file_, settings));
  struct stat status = {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(read_settings(file_).value(), settings);
  EXPECT_EQ(find_settings(file_).value(), settings);
}

TEST_F(SettingsTest, TheEnvironmentWins) {
  ASSERT_TRUE(write_settings(file_, {.endpoint = "e", .region = "r", .access_key = "a", .secret_key = "s", .ca = {}}));
  ::setenv("AWS_ACCESS_KEY_ID", "other", 1);
  EXPECT_EQ(find_settings(file_)->access_key, "a") << "a key without its secret is none";
  ::setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
  ::setenv("AWS_REGION", "there", 1);
  const Settings found = find_settings(file_).value();
  EXPECT_EQ(found.endpoint, "e");
  EXPECT_EQ(found.region, "there");
  EXPECT_EQ(found.access_key, "other");
  EXPECT_EQ(found.secret_key, "hush");
}

TEST_F(SettingsTest, NoCloudIsAnErrorWithTheWayOut) {
  const Result<Settings> none = find_settings(file_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(os::replace_file(file_, "{\"endpoint\": 7}"));
  const Result<Settings> damaged = find_settings(file_);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pileus::client
