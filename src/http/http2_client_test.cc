#include "http/http2_client.h"

#include <gtest/gtest.h>

#include <ctime>

#include "http/internal/client_socket.h"
#include "http/testing/http2_server.h"

namespace pileus::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Http2ClientTest : public ::testing::Test {
 protected:
  ClientRequest request(const std::string& path, const std::string& body = "") const {
    ClientRequest made;
    made.method = "POST";
    made.url = server_.url(path);
    made.body = body;
    made.timeout = seconds(60);
    return made;
  }
  std::string echo(const std::string& body) {
    const auto answer = client_->send(request("/echo", body));
    return answer.ok() ? answer->body : "error: " + answer.error().message();
  }

  static ClientOptions options() {
    ClientOptions options;
    options.max_body = 4 * kMiB;
    return options;
  }

  testing::Http2Server server_;
  const std::unique_ptr<Client> client_ = make_http2_client(options()).value();
};

TEST_F(Http2ClientTest, HasStatusBodyAndTrailers) {
  const auto answer = client_->send(request("/echo", "hello"));
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(answer->headers.get("seen"), "yes");
}

TEST_F(Http2ClientTest, ManyAtOnceShareOneConnection) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string body(static_cast<std::size_t>(1 + i * 997), static_cast<char>('a' + t));
        EXPECT_EQ(echo(body), body);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(Http2ClientTest, LongBodiesGoBothWaysAndTooLongOnesAreRefused) {
  const std::string body(3 * kMiB, 'y');
  EXPECT_TRUE(echo(body) == body);
  const auto longest = client_->send(request("/long", std::to_string(4 * kMiB)));
  ASSERT_TRUE(longest.ok()) << longest.error().message();
  EXPECT_EQ(longest->body.size(), 4 * kMiB);
  EXPECT_EQ(client_->send(request("/long", std::to_string(4 * kMiB + 1))).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(echo("still there"), "still there");
}

TEST_F(Http2ClientTest, AnAnswerThatDoesNotComeIsATimeoutAndTheNextRequestGoesAnotherWay) {
  EXPECT_EQ(echo("a"), "a");
  ClientRequest silent = request("/silent", "b");
  silent.timeout = milliseconds(50);
  EXPECT_EQ(client_->send(silent).error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(echo("c"), "c");
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(Http2ClientTest, WhatWasBrokenOffMayHaveBeenDone) {
  EXPECT_EQ(client_->send(request("/break", "a")).error().code(), ErrorCode::kIo);
  EXPECT_EQ(echo("b"), "b");
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(client_->send(request("/close", "c")).error().code(), ErrorCode::kIo);
  EXPECT_EQ(echo("d"), "d");
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(Http2ClientTest, WhatWasRefusedUnreadWasNotDone) {
  EXPECT_EQ(client_->send(request("/refuse", "a")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(echo("b"), "b");
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(client_->send(request("/leave", "c")).error().code(), ErrorCode::kNotFound);
}

TEST_F(Http2ClientTest, ManyAtOnceGetOverConnectionsThatEnd) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 100; ++i) {
        const auto answer = client_->send(request("/close", "a"));
        EXPECT_TRUE(answer.ok() || answer.error().code() != ErrorCode::kTimeout) << answer.error().message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(echo("b"), "b");
}

TEST_F(Http2ClientTest, TooLongHeadersAreRefused) {
  EXPECT_EQ(client_->send(request("/headers", "a")).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(echo("b"), "b");
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(Http2ClientTest, AServerThatDoesNotReadIsWaitedForWithoutBeingBusy) {
  ClientRequest deaf = request("/deaf", std::string(32 * kMiB, 'z'));
  deaf.timeout = milliseconds(1500);
  const std::clock_t begun = std::clock();
  EXPECT_EQ(client_->send(deaf).error().code(), ErrorCode::kTimeout);
  EXPECT_LT(static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC, 0.75) << "seconds of processor time";
}

TEST_F(Http2ClientTest, NobodyThere) {
  ClientRequest nobody = request("/echo", "a");
  nobody.url = "http://127.0.0.1:1/echo";
  const auto answer = client_->send(nobody);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(answer.error().message().find("http://127.0.0.1:1"), std::string::npos);
}

TEST_F(Http2ClientTest, AStreamWaitsForWhoReadsIt) {
  const auto stream = client_->open(request("/long", std::to_string(8 * kMiB))).value();
  // More than the window waits in the server meanwhile, and disturbs nobody.
  EXPECT_EQ(echo("a"), "a");
  std::size_t total = 0;
  while (true) {
    const auto piece = stream->read(seconds(60));
    ASSERT_TRUE(piece.ok()) << piece.error().message();
    if (!*piece) break;
    ASSERT_FALSE((*piece)->empty()) << "nothing came in a minute";
    EXPECT_EQ(stream->status(), 200);
    total += (*piece)->size();
  }
  EXPECT_EQ(total, 8 * kMiB);
}

TEST_F(Http2ClientTest, CancelEndsAStreamThatWaits) {
  ClientRequest silent = request("/silent", "a");
  const auto stream = client_->open(silent).value();
  EXPECT_TRUE(stream->read(milliseconds(10)).value().value().empty());
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    stream->cancel();
  });
  EXPECT_EQ(stream->read(seconds(60)).error().code(), ErrorCode::kBusy);
  canceller.join();
}

TEST(Target, IsReadOutOfUrls) {
  const Target plain = parse_target("http://127.0.0.1:2379/v3/kv?a=b").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host + " " + plain.port + " " + plain.path, "127.0.0.1 2379 /v3/kv?a=b");
  const Target named = parse_target("https://etcd.example").value();
  EXPECT_TRUE(named.tls);
  EXPECT_EQ(named.host + " " + named.port + " " + named.path, "etcd.example 443 /");
  const Target six = parse_target("http://[::1]:80/x").value();
  EXPECT_EQ(six.host + " " + six.port + " " + six.authority, "::1 80 [::1]:80");
  for (const char* wrong : {"", "ftp://a/", "127.0.0.1:1", "http://", "http://:80/", "http://[::1/"}) {
    EXPECT_FALSE(parse_target(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace pileus::http
