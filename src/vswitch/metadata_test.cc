#include "vswitch/metadata.h"

#include <gtest/gtest.h>

namespace pileus::vswitch {
namespace {

using namespace std::chrono_literals;

class MetadataTest : public ::testing::Test {
 protected:
  static Metadata metadata() {
    Metadata metadata;
    metadata.entries = {{"meta-data/instance-id", "i-1"},
                        {"meta-data/placement/region", "pileus-1"},
                        {"meta-data/public-keys/", "0=mine"},
                        {"meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA"},
                        {"dynamic/instance-identity/document", "{}"}};
    metadata.user_data = std::string("#!/bin/sh\0\xFF", 11);
    return metadata;
  }
  http::Response ask(const std::string& path, const http::Headers& headers = {}, const std::string& method = "GET") {
    http::Request request;
    request.method = method;
    request.path = path;
    request.headers = headers;
    return tree_.answer(request, now_);
  }
  std::string token(const std::string& seconds = "60") {
    return ask("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", seconds}}, "PUT").body;
  }
  void require_tokens() {
    Metadata changed = metadata();
    changed.token_required = true;
    tree_.set(changed);
  }

  MetadataTree tree_{metadata()};
  MetadataTree::Clock::time_point now_{1h};
};

TEST_F(MetadataTest, IsATreeOfTexts) {
  EXPECT_EQ(ask("/latest/meta-data/instance-id").body, "i-1");
  EXPECT_EQ(ask("/2009-04-04/meta-data/instance-id").body, "i-1");
  EXPECT_EQ(ask("/latest/meta-data/").body, "instance-id\nplacement/\npublic-keys/");
  EXPECT_EQ(ask("/latest/meta-data").body, ask("/latest/meta-data/").body);
  EXPECT_EQ(ask("/latest/meta-data/public-keys/").body, "0=mine");
  EXPECT_EQ(ask("/latest/meta-data/public-keys/0/").body, "openssh-key");
  EXPECT_EQ(ask("/latest/").body, "dynamic/\nmeta-data/\nuser-data");
  EXPECT_EQ(ask("/latest/user-data").body, metadata().user_data);
  EXPECT_NE(ask("/").body.find("2021-03-23\nlatest"), std::string::npos);
  for (const char* missing :
       {"/latest/meta-data/none", "/latest/meta-data/instance-id/", "/1999-01-01/meta-data/", "/x"}) {
    EXPECT_EQ(ask(missing).status, 404) << missing;
  }
}

TEST_F(MetadataTest, TokensAreAskedForWhereTheyAreRequired) {
  require_tokens();
  EXPECT_EQ(ask("/latest/meta-data/instance-id").status, 401);
  const std::string good = token();
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", good}}).status, 200);
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", good + "x"}}).status, 401);
  now_ += 60s;
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", good}}).status, 401);
}

TEST_F(MetadataTest, AWrongTokenIsRefusedEvenWhereNoneIsRequired) {
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", "guess"}}).status, 401);
}

TEST_F(MetadataTest, RefusesRequestsForTokensThatAreNotAsTheyShouldBe) {
  for (const char* wrong : {"", "0", "-1", "21601", "60s", "99999999999"}) {
    const auto answer = ask("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", wrong}}, "PUT");
    EXPECT_EQ(answer.status, 400) << wrong;
  }
  EXPECT_EQ(ask("/latest/api/token").status, 405);
  EXPECT_EQ(
      ask("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}, {"X-Forwarded-For", "10.0.0.1"}}, "PUT")
          .status,
      403);
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {}, "POST").status, 405);
}

TEST_F(MetadataTest, AFloodOfTokensCostsBoundedMemoryAndTheOldestTokens) {
  const std::string first = token("60");
  const std::string long_lived = token("21600");
  for (std::size_t i = 0; i < MetadataTree::kMostTokens; ++i) token("3600");
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", first}}).status, 401);
  EXPECT_EQ(ask("/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", long_lived}}).status, 200);
}

TEST_F(MetadataTest, CanBeSwitchedOff) {
  Metadata off = metadata();
  off.enabled = false;
  tree_.set(off);
  EXPECT_EQ(ask("/latest/meta-data/instance-id").status, 403);
}

}  // namespace
}  // namespace pileus::vswitch
