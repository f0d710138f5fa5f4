// The expected signatures were made by Debian's python3-botocore 1.29.27 and python3-libcloud 3.4.1;
// tests/cloud/signature_test.py lets botocore sign anew.
#include "ec2/signature.h"

#include <gtest/gtest.h>

namespace pileus::ec2 {
namespace {

constexpr model::Millis kThen = 1'795'437'296'000;  // 2026-11-23T12:34:56Z
constexpr model::Millis kSecond = 1000;
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

http::Request post() {
  http::Request request;
  request.method = "POST";
  request.path = "/";
  request.body = "Action=DescribeRegions&Version=2016-11-15";
  request.headers = {{"Host", "127.0.0.1:8773"},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"X-Amz-Date", "20261123T123456Z"},
                     {"Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/ec2/aws4_request, "
                      "SignedHeaders=content-type;host;x-amz-date, "
                      "Signature=ba3250a9e21363d15c646ba59d6454922e38b5cf11c8137beba1eadcc58d0089"}};
  return request;
}

http::Request get(std::string query) {
  http::Request request;
  request.method = "GET";
  request.path = "/";
  request.query = std::move(query);
  request.headers = {{"Host", "127.0.0.1:8773"}};
  return request;
}

constexpr const char* kPresigned =
    "Action=DescribeRegions&Version=2016-11-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261123"
    "%2Fus-east-1%2Fec2%2Faws4_request&X-Amz-Date=20261123T123456Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"
    "X-Amz-Signature=207582b99856926ee8f8fd4d017f54998ad786e7eccf86b5abbec7746c86166b";
constexpr const char* kV2 =
    "Action=DescribeTags&Filter.1.Value.1=a%20b%2Bc%2F~%2A&SignatureVersion=2&SignatureMethod=HmacSHA256&"
    "AWSAccessKeyId=AKIDEXAMPLE&Version=2016-11-15&Timestamp=2026-11-23T12%3A34%3A56Z&"
    "Signature=pB9fZNZaDwgJvfGkVcVk6wGAbjyzTA6JlF%2B15uh4enQ%3D";

Reply<Signer> verify(const http::Request& request, model::Millis now = kThen) {
  Parameters parameters;
  EXPECT_TRUE(parameters.add_form(request.query).ok());
  EXPECT_TRUE(parameters.add_form(request.body).ok());
  return verify_signature(request, parameters, now, [](const std::string& key) {
    return key == "AKIDEXAMPLE" ? std::optional<std::string>(kSecret) : std::nullopt;
  });
}

std::string verdict(const http::Request& request, model::Millis now = kThen) {
  const Reply<Signer> signer = verify(request, now);
  return signer.ok() ? "good" : std::to_string(signer.error().status) + " " + signer.error().code;
}

TEST(SignatureV4, InTheHeader) {
  const Reply<Signer> signer = verify(post());
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_EQ(signer->access_key, "AKIDEXAMPLE");
  EXPECT_EQ(signer->region, "us-east-1");
  EXPECT_EQ(signer->service, "ec2");
}

TEST(SignatureV4, CanonicalPathQueryAndHeaders) {
  http::Request request = get("Action=DescribeTags&Filter.1.Value.1=a%20b%2Bc%2F~%2A&Empty=");
  request.path = "/a%20b/";
  request.headers.add("X-Spaces", "a   b");
  request.headers.add("X-Amz-Date", "20261123T123456Z");
  request.headers.add("Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-3/ec2/aws4_request, "
                      "SignedHeaders=host;x-amz-date;x-spaces, "
                      "Signature=2f1d399de97f584b169d33e29011c005cd6946e4fec90564e1e813d2c7120c26");
  EXPECT_EQ(verdict(request), "good");
  request.path = "/a%20c/";
  EXPECT_EQ(verdict(request), "401 AuthFailure");
}

TEST(SignatureV4, Presigned) {
  EXPECT_EQ(verdict(get(kPresigned)), "good");
  EXPECT_EQ(verdict(get(kPresigned), kThen + 60 * kSecond), "good");
  EXPECT_EQ(verdict(get(kPresigned), kThen + 61 * kSecond), "400 RequestExpired");
  EXPECT_EQ(verdict(get(kPresigned), kThen - kMaxSkew - 1), "400 RequestExpired");
  EXPECT_EQ(verdict(get(std::string(kPresigned) + "&DryRun=true")), "401 AuthFailure");
}

TEST(SignatureV4, OfAnotherTime) {
  EXPECT_EQ(verdict(post(), kThen + kMaxSkew), "good");
  EXPECT_EQ(verdict(post(), kThen - kMaxSkew), "good");
  EXPECT_EQ(verdict(post(), kThen + kMaxSkew + 1), "400 RequestExpired");
  EXPECT_EQ(verdict(post(), kThen - kMaxSkew - 1), "400 RequestExpired");
}

TEST(SignatureV4, AnyChangeOfBodyHostOrMethodIsFound) {
  for (std::size_t i = 0; i < post().body.size(); ++i) {
    http::Request request = post();
    request.body[i] = static_cast<char>(request.body[i] ^ 1);
    Parameters parameters;
    if (!parameters.add_form(request.body).ok()) continue;
    EXPECT_EQ(verdict(request), "401 AuthFailure") << i;
  }
  http::Request other = post();
  other.method = "GET";
  EXPECT_EQ(verdict(other), "401 AuthFailure");
  http::Request hashed = post();
  hashed.headers.add("x-amz-content-sha256", std::string(64, '0'));
  EXPECT_EQ(verdict(hashed), "401 AuthFailure");
}

TEST(SignatureV2, OfLibcloud) {
  EXPECT_EQ(verdict(get(kV2)), "good");
  EXPECT_EQ(verdict(get(kV2), kThen + kMaxSkew + 1), "400 RequestExpired");
  EXPECT_EQ(verdict(get(std::string(kV2) + "&DryRun=true")), "401 AuthFailure");
  std::string unknown = kV2;
  unknown.replace(unknown.find("AKIDEXAMPLE"), 11, "AKIDNOBODYS");
  EXPECT_EQ(verdict(get(unknown)), "401 AuthFailure");
}

TEST(Signature, IsNeeded) { EXPECT_EQ(verdict(get("Action=DescribeRegions")), "403 MissingAuthenticationToken"); }

}  // namespace
}  // namespace pileus::ec2
