// Certificates, and server and client with TLS between them.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>

#include "http/certificates.h"
#include "http/client.h"
#include "http/server.h"
#include "os/file.h"

namespace pileus::http {
namespace {

using std::chrono::seconds;

Identity authority(const std::string& name = "test CA") {
  auto made = make_authority(name);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return std::move(made).value();
}

Identity identity(const Identity& ca, Grant grant) {
  auto made = make_identity(ca, grant);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return std::move(made).value();
}

Grant for_server() { return Grant{"server", "", {"127.0.0.1", "localhost"}, false, std::chrono::hours(1)}; }
Grant for_client(const std::string& name) { return Grant{name, "hosts", {}, true, std::chrono::hours(1)}; }

TEST(Certificates, SayWhatTheyAre) {
  const Identity ca = authority("cloud 1");
  const auto info = inspect_certificate(ca.certificate).value();
  EXPECT_EQ(info.name, "cloud 1");
  EXPECT_EQ(info.fingerprint.size(), 64U);
  EXPECT_EQ(info.fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(info.fingerprint, inspect_certificate(authority("cloud 1").certificate).value().fingerprint);
  const auto leaf = inspect_certificate(identity(ca, for_client("host-1")).certificate).value();
  EXPECT_EQ(leaf.name, "host-1");
  const auto left = leaf.not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::minutes(59));
  EXPECT_LE(left, std::chrono::minutes(61));
}

TEST(Certificates, TheAuthorityDecidesTheName) {
  const Identity ca = authority();
  const std::string request = make_request(make_key().value(), "I am root").value();
  const std::string signed_one = sign_request(ca, request, for_client("host-2")).value();
  EXPECT_EQ(inspect_certificate(signed_one).value().name, "host-2");
}

TEST(Certificates, ARequestHasToBeSignedByItsKey) {
  const Identity ca = authority();
  std::string request = make_request(make_key().value(), "a").value();
  // One character of its signature, which is at the end.
  const auto at = request.rfind("\n-----END") - 12;
  request[at] = request[at] == 'A' ? 'B' : 'A';
  EXPECT_EQ(sign_request(ca, request, for_client("a")).error().code(), ErrorCode::kInvalid);
}

TEST(Certificates, RefusesNonsense) {
  const Identity ca = authority();
  const std::string request = make_request(make_key().value(), "a").value();
  for (const std::string& text :
       {std::string(), std::string("x"), ca.certificate, request.substr(0, request.size() / 2)}) {
    EXPECT_EQ(sign_request(ca, text, for_client("a")).error().code(), ErrorCode::kInvalid);
  }
  EXPECT_EQ(sign_request(ca, request, for_client("")).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(sign_request(ca, request, for_client(std::string(65, 'a'))).error().code(), ErrorCode::kInvalid);
  Grant grant = for_client("a");
  grant.client = false;
  EXPECT_EQ(sign_request(ca, request, grant).error().code(), ErrorCode::kInvalid);
  for (const char* name : {"", "a,DNS:b", "a b", "a:b", "otherName:x"}) {
    grant.server_names = {name};
    EXPECT_EQ(sign_request(ca, request, grant).error().code(), ErrorCode::kInvalid) << name;
  }
  EXPECT_FALSE(inspect_certificate("x").ok());
  EXPECT_FALSE(make_request("x", "a").ok());
}

TEST(Certificates, RandomAndDigest) {
  EXPECT_EQ(random_hex(16).value().size(), 32U);
  EXPECT_NE(random_hex(16).value(), random_hex(16).value());
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

class TlsTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& text) {
    EXPECT_TRUE(os::replace_file(folder_.path() / name, text, 0600).ok());
    return folder_.path() / name;
  }
  // A server of `ca_` that says who its clients are.
  void serve(const Grant& grant = for_server()) {
    const Identity server = identity(ca_, grant);
    ServerOptions options;
    options.tls = {server.certificate, server.key, ca_.certificate};
    options.request_timeout = seconds(60);
    auto started = Server::start(options, [this](const Request& request) {
      ++handled_;
      return text_response(200, request.peer_name + "|" + request.peer_subject);
    });
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }
  std::unique_ptr<Client> client(const Identity* mine) {
    ClientOptions options;
    options.ca = file("ca.pem", ca_.certificate);
    if (mine != nullptr) {
      options.certificate = file("client.pem", mine->certificate);
      options.key = file("client.key", mine->key);
    }
    return Client::create(options).value();
  }
  Result<Response> ask(Client& client, const std::string& host = "127.0.0.1") {
    ClientRequest request;
    request.url = "https://" + host + ":" + std::to_string(server_->port()) + "/";
    request.timeout = seconds(60);
    return client.send(request);
  }

  const os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "tls-").value();
  const Identity ca_ = authority();
  std::atomic<int> handled_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, AClientWithoutACertificateIsNobody) {
  serve();
  const auto nobody = client(nullptr);
  const auto answer = ask(*nobody);
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->body, "|\n");
  EXPECT_EQ(ask(*nobody, "localhost")->body, "|\n");
}

TEST_F(TlsTest, AClientWithACertificateIsKnownByItsName) {
  serve();
  const Identity host = identity(ca_, for_client("host-1"));
  const auto known = client(&host);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(*known)->body, "host-1|CN=host-1,O=hosts\n");
}

TEST_F(TlsTest, CertificatesOfOthersAreRefused) {
  serve();
  // By another authority, even one of the same name; one for servers only; one that has expired.
  const Identity stranger = identity(authority(), for_client("host-1"));
  Grant expired_grant = for_client("host-1");
  expired_grant.lifetime = std::chrono::hours(-1);
  const Identity expired = identity(ca_, expired_grant);
  const Identity server_only = identity(ca_, for_server());
  for (const Identity& bad : {stranger, expired, server_only}) {
    const auto known = client(&bad);
    const auto answer = ask(*known);
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->status, 403) << answer->body;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotTrusted) {
  serve();
  ClientOptions options;
  options.ca = file("other.pem", authority().certificate);
  const auto careful = Client::create(options).value();
  const auto answer = ask(*careful);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kPermission) << answer.error().message();
}

TEST_F(TlsTest, AServerHasToBeCalledByItsName) {
  Grant grant = for_server();
  grant.server_names = {"localhost"};
  serve(grant);
  const auto nobody = client(nullptr);
  EXPECT_TRUE(ask(*nobody, "localhost").ok());
  const auto answer = ask(*nobody, "127.0.0.1");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kPermission) << answer.error().message();
}

TEST_F(TlsTest, NonsenseInsteadOfCertificatesIsRefused) {
  ServerOptions options;
  options.tls = {"x", "y", ""};
  EXPECT_EQ(Server::start(options, nullptr).error().code(), ErrorCode::kInvalid);
  serve();
  ClientOptions broken;
  broken.ca = folder_.path() / "missing";
  const auto careless = Client::create(broken).value();
  EXPECT_EQ(ask(*careless).error().code(), ErrorCode::kInvalid);
}

TEST_F(TlsTest, AServerThatHangsUpDoesNotEndTheClient) {
  // With SIGPIPE as it is by default.
  ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  serve();
  const auto nobody = client(nullptr);
  for (int i = 0; i < 10; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.url = "https://127.0.0.1:" + std::to_string(server_->port()) + "/";
    request.body.assign(30'000'000, 'x');
    const auto answer = nobody->send(request);
    if (answer.ok()) {
      EXPECT_EQ(answer->status, 413);
    } else {
      EXPECT_EQ(answer.error().code(), ErrorCode::kIo) << answer.error().message();
    }
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(TlsTest, LaterAnswersAndStreamsWorkTheSame) {
  const Identity server = identity(ca_, for_server());
  ServerOptions options;
  options.tls = {server.certificate, server.key, ""};
  const std::shared_ptr<Stream> stream = Stream::create();
  server_ = Server::start(options, [&](const Request& request) {
              Response response;
              if (request.path == "/stream") response.stream = stream;
              else response.later = Later::create(std::chrono::milliseconds(100), text_response(200, "later"));
              return response;
            }).value();
  const auto nobody = client(nullptr);
  EXPECT_EQ(ask(*nobody)->body, "later\n");
  ClientRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(server_->port()) + "/stream";
  const auto reading = nobody->open(request).value();
  for (const std::string text : {"one", "two"}) {
    EXPECT_TRUE(stream->write(text));
    std::string got;
    for (int i = 0; i < 300 && got != text; ++i)
      got += reading->read(std::chrono::milliseconds(200)).value().value_or("(end)");
    EXPECT_EQ(got, text);
  }
}

}  // namespace
}  // namespace pileus::http
