// Answers that come later, or bit by bit; and stopping while somebody waits for one.
#include <sys/resource.h>

#include <atomic>
#include <fstream>

#include "http/testing/server_fixture.h"

namespace pileus::http {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How many threads this process has.
int threads() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  }
  return -1;
}

class LaterTest : public ServerTest {};

TEST_F(LaterTest, ALaterAnswerComesWhenItIsThere) {
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

TEST_F(LaterTest, ALaterAnswerThatDoesNotComeInTime) {
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
  EXPECT_LT(took, seconds(20));
  EXPECT_FALSE(later->complete(text_response(200, "")));
}

TEST_F(LaterTest, AnAnswerGivenBeforeTheHandlerReturns) {
  const auto server = serve([](const Request&) {
    Response response;
    response.later = Later::create(seconds(30), {});
    response.later->complete(text_response(200, "at once"));
    return response;
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(*client_, *server, "/").body, "at once\n");
}

TEST_F(LaterTest, AThousandLongPollsCostNoThreads) {
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
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return waiting.size();
  };
  while (count() < kPolls && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(60));
  ASSERT_EQ(count(), kPolls);
  EXPECT_EQ(threads(), before);
  for (std::size_t i = 0; i < kPolls; ++i) EXPECT_TRUE(waiting[i]->complete(text_response(200, std::to_string(i))));
  for (const auto& client : clients) EXPECT_TRUE(client->receive_head(seconds(60)).starts_with("HTTP/1.1 200 "));
}

TEST_F(LaterTest, AStreamArrivesAsItIsWritten) {
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
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (!all.ends_with(end) && std::chrono::steady_clock::now() < deadline) {
      const auto piece = reading->read(seconds(60));
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
  EXPECT_EQ(reading->read(seconds(60)).value(), std::nullopt);
  EXPECT_FALSE(stream->write("x"));
}

TEST_F(LaterTest, AStreamNoticesThatItsReaderHasGone) {
  std::shared_ptr<Stream> stream = Stream::create();
  const auto server = serve([&](const Request&) {
    Response response;
    response.stream = stream;
    return response;
  });
  {
    RawClient raw(server->port());
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(raw.receive_head(seconds(60)).starts_with("HTTP/1.1 200 "));
  }
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (stream->write(": alive\n\n") && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(stream->closed());
}

TEST_F(LaterTest, AStreamWhoseReaderIsTooSlowIsClosed) {
  std::shared_ptr<Stream> stream = Stream::create(256 * kKiB);
  const auto server = serve([&](const Request&) {
    Response response;
    response.stream = stream;
    return response;
  });
  RawClient raw(server->port());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(raw.receive_head(seconds(60)).starts_with("HTTP/1.1 200 "));
  const std::string block(16 * kKiB, 'x');
  int written = 0;
  while (written < 10'000 && stream->write(block)) ++written;
  // What the sockets took, and the buffer.
  EXPECT_GT(written, 15);
  EXPECT_LT(written, 10'000);
}

TEST_F(LaterTest, StopAnswersWhoWaits) {
  std::atomic<int> waiting = 0;
  std::shared_ptr<Stream> stream = Stream::create();
  std::shared_ptr<Later> later;
  auto server = serve([&](const Request& request) {
    Response response;
    if (request.path == "/stream") response.stream = stream;
    else if (request.path == "/later") response.later = later = Later::create(seconds(60), {});
    ++waiting;
    if (request.path != "/slow") return response;
    std::this_thread::sleep_for(milliseconds(200));
    return text_response(200, "slow but whole");
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
  server->stop(seconds(60));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30)) << "as long as its patience";
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

}  // namespace
}  // namespace pileus::http
