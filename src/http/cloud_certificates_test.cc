#include "http/cloud_certificates.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "http/server.h"
#include "os/file.h"

namespace pileus::http {
namespace {

using std::chrono::seconds;

class CloudCertificatesTest : public ::testing::Test {
 protected:
  CloudCertificates open(const std::vector<std::string>& names = {"127.0.0.1", "cloud.example"}) {
    auto opened = CloudCertificates::open(path_, names);
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return std::move(opened).value();
  }

  const os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "certificates-").value();
  const std::filesystem::path path_ = folder_.path() / "deep" / "pki";
};

TEST_F(CloudCertificatesTest, AreMadeOnceAndStay) {
  const CloudCertificates first = open();
  const CloudCertificates second = open();
  EXPECT_EQ(first.authority().certificate, second.authority().certificate);
  EXPECT_EQ(first.authority().key, second.authority().key);
  EXPECT_EQ(first.server().certificate, second.server().certificate);
  EXPECT_EQ(first.fingerprint(), second.fingerprint());
}

TEST_F(CloudCertificatesTest, ASecretIsForItsOwnerOnly) {
  open();
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  for (const char* key : {"ca.key", "server.key"}) {
    ASSERT_EQ(::stat((path_ / key).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
  }
}

TEST_F(CloudCertificatesTest, OtherNamesMakeAnotherServerCertificateOfTheSameAuthority) {
  const CloudCertificates first = open();
  const CloudCertificates second = open({"127.0.0.1"});
  EXPECT_EQ(first.fingerprint(), second.fingerprint());
  EXPECT_NE(first.server().certificate, second.server().certificate);
  EXPECT_EQ(open({"127.0.0.1"}).server().certificate, second.server().certificate);
}

TEST_F(CloudCertificatesTest, WhatIsHalfThereIsMended) {
  const CloudCertificates first = open();
  for (const char* lost : {"server.pem", "server.key", "server.names"}) {
    ASSERT_TRUE(os::remove_all(path_ / lost).ok());
    EXPECT_EQ(open().fingerprint(), first.fingerprint());
  }
  // An authority that is lost is not replaced behind anybody's back: no host would know the new one.
  const std::string key = os::read_file(path_ / "ca.key").value();
  ASSERT_TRUE(os::remove_all(path_ / "ca.key").ok());
  EXPECT_EQ(CloudCertificates::open(path_, {"127.0.0.1"}).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(os::replace_file(path_ / "ca.key", key).ok());
  ASSERT_TRUE(os::remove_all(path_ / "ca.pem").ok());
  EXPECT_EQ(CloudCertificates::open(path_, {"127.0.0.1"}).error().code(), ErrorCode::kNotFound);
}

TEST_F(CloudCertificatesTest, KilledAtTheFirstStartItGoesOn) {
  ASSERT_TRUE(os::make_directories(path_).ok());
  ASSERT_TRUE(os::replace_file(path_ / "ca.key", make_key().value()).ok());
  const CloudCertificates first = open();
  EXPECT_TRUE(make_identity(first.authority(), {"a", "", {"b"}, false, std::chrono::hours(1)}).ok());
  EXPECT_EQ(open().fingerprint(), first.fingerprint());
}

TEST_F(CloudCertificatesTest, AHostJoins) {
  const CloudCertificates cloud = open();
  const JoinToken token = JoinToken::make(cloud.fingerprint()).value();
  // The cloud's side.
  ServerOptions options;
  options.tls = {cloud.server().certificate, cloud.server().key, cloud.authority().certificate};
  const std::string known_hash = token.secret_hash();
  const auto server = Server::start(options, [&](const Request& request) {
                        if (request.path == "/ca.pem")
                          return Response{200, {}, cloud.authority().certificate, nullptr, nullptr};
                        if (request.path != "/join") return text_response(200, request.peer_name);
                        const JoinToken asked{std::string(request.headers.get("X-Secret")), ""};
                        if (asked.secret_hash() != known_hash) return text_response(403, "no");
                        return Response{200, {}, cloud.sign_host(request.body, "host-7").value(), nullptr, nullptr};
                      }).value();
  const std::string url = "https://127.0.0.1:" + std::to_string(server->port());

  // The host's side knows the address and the token.
  const JoinToken mine = JoinToken::parse(token.text()).value();
  const std::string ca = fetch_authority(url + "/ca.pem", mine.fingerprint, seconds(60)).value();
  EXPECT_EQ(ca, cloud.authority().certificate);
  const auto file = [&](const std::string& name, const std::string& text) {
    EXPECT_TRUE(os::replace_file(folder_.path() / name, text, 0600).ok());
    return folder_.path() / name;
  };
  ClientOptions trusting;
  trusting.ca = file("ca", ca);
  const std::string key = make_key().value();
  ClientRequest join;
  join.method = "POST";
  join.url = url + "/join";
  join.headers.add("X-Secret", mine.secret);
  join.body = make_request(key, "whoever").value();
  const Response joined = Client::create(trusting).value()->send(join).value();
  ASSERT_EQ(joined.status, 200);
  trusting.certificate = file("host.pem", joined.body);
  trusting.key = file("host.key", key);
  ClientRequest work;
  work.url = url + "/work";
  EXPECT_EQ(Client::create(trusting).value()->send(work).value().body, "host-7\n");

  // Another cloud at that address.
  EXPECT_EQ(fetch_authority(url + "/ca.pem", std::string(64, '0'), seconds(60)).error().code(), ErrorCode::kPermission);
  EXPECT_EQ(fetch_authority(url + "/work", mine.fingerprint, seconds(60)).error().code(), ErrorCode::kPermission);
}

TEST(JoinToken, RefusesWhatIsNone) {
  const std::string good = "pileus1." + std::string(32, 'a') + "." + std::string(64, '0');
  EXPECT_EQ(JoinToken::parse(good).value().text(), good);
  std::vector<std::string> bad = {"", "pileus1", good + "0", good.substr(1), std::string(good.size(), '.')};
  for (std::size_t i = 0; i < good.size(); ++i) {
    bad.push_back(good);
    bad.back()[i] = 'X';
  }
  for (const std::string& text : bad) EXPECT_EQ(JoinToken::parse(text).error().code(), ErrorCode::kInvalid) << text;
}

}  // namespace
}  // namespace pileus::http
