#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "http/client.h"
#include "http/testing/raw_client.h"

namespace pileus::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RawClient;

std::unique_ptr<Server> serve(Handler handler, ServerOptions options = {}) {
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message();
  return std::move(server).value();
}

std::string url(const Server& server, const std::string& target) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

Response ask(Client& client, const Server& server, const std::string& target, const std::string& body = "") {
  ClientRequest request;
  request.url = url(server, target);
  request.method = body.empty() ? "GET" : "POST";
  request.body = body;
  auto response = client.send(request);
  EXPECT_TRUE(response.ok()) << response.error().message();
  return response.ok() ? std::move(response).value() : Response{0, {}, "", nullptr, nullptr};
}

// How many threads this process has.
int threads() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  }
  return -1;
}

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> client_ = Client::create().value();
};

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
  EXPECT_TRUE(raw.receive_head(seconds(5)).starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerTest, HeadersUpToTheLimit) {
  const auto server = serve([](const Request&) { return text_response(200, ""); });
  RawClient raw(server->port());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(40'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(raw.receive_head(seconds(5)).starts_with("HTTP/1.1 4"));
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
    const std::string head = raw.receive_head(seconds(5));
    EXPECT_FALSE(head.starts_with("HTTP/1.1 2")) << head;
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(ask(*client_, *server, "/").status, 200);
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
  while (!cut && std::chrono::steady_clock::now() - begin < seconds(10)) {
    cut = !slow.try_send("x");
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_TRUE(cut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(silent.receive_head(seconds(5)), "");
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
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (busy < 4 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
  go = true;
  for (std::thread& thread : clients) thread.join();
  EXPECT_EQ(good, 2);
  EXPECT_EQ(busy, 4);
}

TEST_F(ServerTest, ALaterAnswerComesWhenItIsThere) {
  std::shared_ptr<Later> later;
  std::atomic<bool> asked = false;
  const auto server = serve([&](const Request&) {
    later = Later::create(seconds(30), text_response(204, ""));
    Response response;
    response.later = later;
    asked = true;
    return response;
  });
  std::thread completer([&] {
    while (!asked) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_FALSE(later->done());
    EXPECT_TRUE(later->complete(text_response(200, "news")));
    EXPECT_TRUE(later->done());
    EXPECT_FALSE(later->complete(text_response(200, "more")));
  });
  EXPECT_EQ(ask(*client_, *server, "/").body, "news\n");
  completer.join();
}

TEST_F(ServerTest, ALaterAnswerThatDoesNotComeInTime) {
  std::shared_ptr<Later> later;
  const auto server = serve([&](const Request&) {
    later = Later::create(milliseconds(200), text_response(404, "nothing yet"));
    Response response;
    response.later = later;
    return response;
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(*client_, *server, "/").status, 404);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, milliseconds(195));
  EXPECT_LT(took, milliseconds(900));
  EXPECT_FALSE(later->complete(text_response(200, "")));
}

TEST_F(ServerTest, AnAnswerGivenBeforeTheHandlerReturns) {
  const auto server = serve([](const Request&) {
    Response response;
    response.later = Later::create(seconds(30), {});
    response.later->complete(text_response(200, "at once"));
    return response;
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(*client_, *server, "/").body, "at once\n");
}

TEST_F(ServerTest, AThousandLongPollsCostNoThreads) {
  constexpr std::size_t kPolls = 1000;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GE(limit.rlim_cur, 2 * kPolls + 100);
  std::mutex mutex;
  std::vector<std::shared_ptr<Later>> waiting;
  const auto server = serve([&](const Request&) {
    Response response;
    response.later = Later::create(seconds(60), {});
    const std::lock_guard lock(mutex);
    waiting.push_back(response.later);
    return response;
  });
  const int before = threads();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < kPolls; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->send("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return waiting.size();
  };
  while (count() < kPolls && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(5));
  ASSERT_EQ(count(), kPolls);
  EXPECT_EQ(threads(), before);
  for (std::size_t i = 0; i < kPolls; ++i) EXPECT_TRUE(waiting[i]->complete(text_response(200, std::to_string(i))));
  for (const auto& client : clients) EXPECT_TRUE(client->receive_head(seconds(10)).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AStreamArrivesAsItIsWritten) {
  std::shared_ptr<Stream> stream = Stream::create();
  const auto server = serve([&](const Request&) {
    Response response;
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = stream;
    return response;
  });
  ClientRequest request;
  request.url = url(*server, "/events");
  const auto reading = client_->open(request).value();
  EXPECT_TRUE(stream->write("data: 1\n\n"));
  std::string all;
  const auto read_until = [&](const std::string& end) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(5);
    while (!all.ends_with(end) && std::chrono::steady_clock::now() < deadline) {
      const auto piece = reading->read(seconds(5));
      if (!piece.ok() || !piece.value()) return;
      all += *piece.value();
    }
  };
  read_until("1\n\n");
  EXPECT_EQ(all, "data: 1\n\n");
  EXPECT_EQ(reading->status(), 200);
  EXPECT_EQ(reading->read(milliseconds(50)).value(), std::string());
  EXPECT_TRUE(stream->write("data: 2\n\n"));
  read_until("2\n\n");
  EXPECT_EQ(all, "data: 1\n\ndata: 2\n\n");
  EXPECT_FALSE(stream->closed());
  stream->close();
  EXPECT_EQ(reading->read(seconds(5)).value(), std::nullopt);
  EXPECT_FALSE(stream->write("x"));
}

TEST_F(ServerTest, AStreamNoticesThatItsReaderHasGone) {
  std::shared_ptr<Stream> stream = Stream::create();
  const auto server = serve([&](const Request&) {
    Response response;
    response.stream = stream;
    return response;
  });
  {
    RawClient raw(server->port());
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(raw.receive_head(seconds(5)).starts_with("HTTP/1.1 200 "));
  }
  const auto deadline = std::chrono::steady_clock::now() + seconds(5);
  while (stream->write(": alive\n\n") && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(stream->closed());
}

TEST_F(ServerTest, AStreamWhoseReaderIsTooSlowIsClosed) {
  std::shared_ptr<Stream> stream = Stream::create(256 * kKiB);
  const auto server = serve([&](const Request&) {
    Response response;
    response.stream = stream;
    return response;
  });
  RawClient raw(server->port());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(raw.receive_head(seconds(5)).starts_with("HTTP/1.1 200 "));
  const std::string block(16 * kKiB, 'x');
  int written = 0;
  while (written < 10'000 && stream->write(block)) ++written;
  // What the sockets took, and the buffer.
  EXPECT_GT(written, 15);
  EXPECT_LT(written, 10'000);
}

TEST_F(ServerTest, StopAnswersWhoWaits) {
  std::atomic<int> waiting = 0;
  std::shared_ptr<Stream> stream = Stream::create();
  std::shared_ptr<Later> later;
  auto server = serve([&](const Request& request) {
    Response response;
    if (request.path == "/stream") response.stream = stream;
    else if (request.path == "/later") response.later = later = Later::create(seconds(60), {});
    else {
      ++waiting;
      std::this_thread::sleep_for(milliseconds(200));
      response = text_response(200, "slow but whole");
    }
    ++waiting;
    return response;
  });
  RawClient streaming(server->port());
  RawClient polling(server->port());
  RawClient working(server->port());
  RawClient idle(server->port());
  streaming.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  polling.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  working.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  while (waiting < 3) std::this_thread::sleep_for(milliseconds(1));
  const auto begin = std::chrono::steady_clock::now();
  const u16 port = server->port();
  server->stop(seconds(5));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
  EXPECT_TRUE(working.receive_head(seconds(1)).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(polling.receive_head(seconds(1)).starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(streaming.receive_all(seconds(1)).ends_with("\r\n0\r\n\r\n"));
  EXPECT_EQ(idle.receive_all(seconds(1)), "");
  EXPECT_FALSE(later->complete({}));
  EXPECT_FALSE(stream->write("x"));
  server->stop(seconds(1));
  server.reset();
  // The port is free again.
  ServerOptions options;
  options.port = port;
  EXPECT_TRUE(Server::start(options, [](const Request&) { return Response{}; }).ok());
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
