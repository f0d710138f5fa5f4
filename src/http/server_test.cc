#include <ifaddrs.h>
#include <netdb.h>

#include <atomic>

#include "http/testing/server_fixture.h"

namespace pileus::http {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ServerTest, HandsTheRequestOverAsItWasSent) {
  Request seen;
  const auto server = serve([&](const Request& request) {
    seen = request;
    Response response = text_response(201, "made");
    response.headers.add("X-Id", "7");
    response.headers.add("X-Empty", "");
    return response;
  });
  ClientRequest request;
  request.method = "PUT";
  request.url = url(*server, "/a%20b/c?x=%2F&y=+1&&z");
  request.headers.add("X-Token", "t");
  request.headers.add("X-None", "");
  request.body = std::string("\0body\xFF", 6);
  const Response response = client_->send(request).value();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "made\n");
  EXPECT_EQ(response.headers.get("x-id"), "7");
  EXPECT_NE(response.headers.find("X-Empty"), nullptr);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/a%20b/c");
  EXPECT_EQ(seen.query, "x=%2F&y=+1&&z");
  EXPECT_EQ(seen.headers.get("X-TOKEN"), "t");
  EXPECT_NE(seen.headers.find("x-none"), nullptr);
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.remote_address, "127.0.0.1");
  EXPECT_EQ(seen.peer_name, "");
}

TEST_F(ServerTest, ServesIpV6) {
  ServerOptions options;
  options.address = "::1";
  std::string address;
  const auto server = serve(
      [&](const Request& request) {
        address = request.remote_address;
        return text_response(200, "");
      },
      options);
  ClientRequest request;
  request.url = "http://[::1]:" + std::to_string(server->port()) + "/";
  EXPECT_EQ(client_->send(request).value().status, 200);
  EXPECT_EQ(address, "::1");
}

TEST_F(ServerTest, RefusesAPortThatIsTakenAndAnAddressThatIsNone) {
  const auto server = serve([](const Request&) { return Response{}; });
  ServerOptions options;
  options.port = server->port();
  EXPECT_EQ(Server::start(options, nullptr).error().code(), ErrorCode::kBusy);
  options.address = "localhost";
  EXPECT_EQ(Server::start(options, nullptr).error().code(), ErrorCode::kInvalid);
}

TEST_F(ServerTest, BodiesUpToTheLimit) {
  ServerOptions options;
  options.max_body = 100'000;
  const auto server =
      serve([](const Request& request) { return text_response(200, std::to_string(request.body.size())); }, options);
  EXPECT_EQ(ask(*client_, *server, "/", std::string(100'000, 'x')).body, "100000\n");
  EXPECT_EQ(ask(*client_, *server, "/", std::string(100'001, 'x')).status, 413);
  // Without a length said before.
  RawClient raw(server->port());
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) raw.send("2710\r\n" + std::string(0x2710, 'y') + "\r\n");
  raw.send("0\r\n\r\n");
  EXPECT_TRUE(raw.receive_head(seconds(60)).starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerTest, HeadersUpToTheLimit) {
  const auto server = serve([](const Request&) { return text_response(200, ""); });
  RawClient raw(server->port());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(40'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(raw.receive_head(seconds(60)).starts_with("HTTP/1.1 4"));
}

TEST_F(ServerTest, GarbageDoesNotReachTheHandler) {
  ServerOptions options;
  options.request_timeout = seconds(1);  // nobody says that it will be refused before that
  std::atomic<int> calls = 0;
  const auto server = serve(
      [&](const Request&) {
        ++calls;
        return text_response(200, "");
      },
      options);
  using namespace std::string_view_literals;
  for (const std::string_view garbage : std::initializer_list<std::string_view>{
           "\0\0\0\0\r\n\r\n"sv, "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/9.9\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"}) {
    RawClient raw(server->port());
    raw.send(garbage);
    raw.finish();
    const std::string head = raw.receive_head(seconds(60));
    EXPECT_FALSE(head.starts_with("HTTP/1.1 2")) << head;
  }
  EXPECT_EQ(calls, 0);
  // A busy machine may take longer than that to ask.
  ClientRequest good;
  good.url = url(*server, "/");
  auto answer = client_->send(good);
  for (int i = 0; i < 20 && !answer.ok(); ++i) answer = client_->send(good);
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ServerTest, CutsWhoTakesTooLongToAsk) {
  ServerOptions options;
  options.request_timeout = seconds(1);
  const auto server = serve([](const Request&) { return text_response(200, ""); }, options);
  RawClient silent(server->port());
  RawClient slow(server->port());
  slow.send("GET / HTTP/1.1\r\nX-Slow: ");
  const auto begin = std::chrono::steady_clock::now();
  bool cut = false;
  // A byte now and then does not help.
  while (!cut && std::chrono::steady_clock::now() - begin < seconds(60)) {
    cut = !slow.try_send("x");
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_TRUE(cut);
  EXPECT_EQ(silent.receive_head(seconds(60)), "");
}

TEST_F(ServerTest, TooManyRequestsAreToldSo) {
  ServerOptions options;
  options.threads = 1;
  options.max_waiting = 1;
  std::atomic<bool> go = false;
  std::atomic<bool> entered = false;
  const auto server = serve(
      [&](const Request&) {
        entered = true;
        while (!go) std::this_thread::sleep_for(milliseconds(1));
        return text_response(200, "");
      },
      options);
  std::atomic<int> good = 0, busy = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    // The first has the only thread, the second waits for it.
    while (i == 1 && !entered) std::this_thread::sleep_for(milliseconds(1));
    clients.emplace_back([&] {
      const Response response = ask(*client_, *server, "/");
      (response.status == 200 ? good : busy) += 1;
      EXPECT_EQ(response.headers.get("Retry-After"), response.status == 200 ? "" : "1");
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (busy < 4 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
  go = true;
  for (std::thread& thread : clients) thread.join();
  EXPECT_EQ(good, 2);
  EXPECT_EQ(busy, 4);
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  const auto server = serve([](const Request& request) { return text_response(200, request.query); });
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      for (int k = 0; k < 100; ++k) {
        const std::string query = std::to_string(i) + "/" + std::to_string(k);
        EXPECT_EQ(ask(*client_, *server, "/?" + query).body, query + "\n");
      }
    });
  }
  for (std::thread& thread : clients) thread.join();
}

// The status of a stream is the last server's, however long that one takes.
TEST_F(ServerTest, AStreamHasNoStatusUntilRedirectsHaveEnded) {
  std::atomic<bool> asked = false;
  std::atomic<bool> answers = false;
  const auto server = serve([&](const Request& request) {
    if (request.path == "/moved") return Response{302, {{"Location", "/"}}, "", nullptr, nullptr};
    asked = true;
    answers.wait(false);
    return text_response(200, "here");
  });
  ClientOptions options;
  options.max_redirects = 1;
  const auto client = Client::create(options).value();
  ClientRequest request;
  request.url = url(*server, "/moved");
  const auto stream = client->open(request).value();
  while (!asked) EXPECT_EQ(stream->read(milliseconds(5)).value(), "");
  EXPECT_EQ(stream->read(milliseconds(5)).value(), "");
  EXPECT_EQ(stream->status(), 0);
  answers = true;
  answers.notify_all();
  EXPECT_EQ(stream->read(seconds(30)).value(), "here\n");
  EXPECT_EQ(stream->status(), 200);
}

TEST_F(ServerTest, ClientsForStrangersReachNoAddressOfTheMachine) {
  ClientOptions options;
  options.no_own_addresses = true;
  const auto client = Client::create(options).value();
  ifaddrs* list = nullptr;
  ASSERT_EQ(::getifaddrs(&list), 0);
  int tried = 0;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    char host[NI_MAXHOST];
    ASSERT_EQ(::getnameinfo(each->ifa_addr, sizeof(sockaddr_in), host, sizeof host, nullptr, 0, NI_NUMERICHOST), 0);
    ClientRequest request;
    request.url = std::string("http://") + host + ":1/";
    EXPECT_EQ(client->send(request).error().code(), ErrorCode::kPermission) << host;
    ++tried;
  }
  ::freeifaddrs(list);
  EXPECT_GT(tried, 0);
}

TEST_F(ServerTest, AHeaderThatWouldSplitTheAnswerIsNotSent) {
  const auto server = serve([](const Request&) {
    Response response;
    response.headers.add("X-Bad", "a\r\nSet-Cookie: b");
    return response;
  });
  const Response response = ask(*client_, *server, "/");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.headers.find("Set-Cookie"), nullptr);
}

}  // namespace
}  // namespace pileus::http
