// The control protocol, its server and client, and the console hub, over real sockets.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>

#include "os/file.h"
#include "os/unix_socket.h"
#include "virtio/io_thread.h"
#include "vmm/console_hub.h"
#include "vmm/control_client.h"
#include "vmm/control_server.h"

namespace pileus::vmm {
namespace {

constexpr std::chrono::seconds kPatience{5};

TEST(ControlProtocol, RequestsComeBackAsWritten) {
  for (const Command command : {Command::kStatus, Command::kStats, Command::kStop, Command::kKill, Command::kReset,
                                Command::kNmi, Command::kProfileStart, Command::kProfileStop}) {
    EXPECT_EQ(parse_request(encode_request(command)).value().command, command);
  }
}

TEST(ControlProtocol, ArgumentsOfDisksComeBackAsWritten) {
  const DiskArguments about{.disks = {"root", "vol1"},
                            .path = "/a b",
                            .device = "/dev/sdf",
                            .read_only = true,
                            .force = true,
                            .bytes = 1 * kGiB,
                            .mark = "snap-1"};
  const Request back = parse_request(encode_request({Command::kDiskSnapshot, about})).value();
  EXPECT_EQ(back.command, Command::kDiskSnapshot);
  EXPECT_EQ(back.disk.disks, about.disks);
  EXPECT_EQ(back.disk.path, about.path);
  EXPECT_EQ(back.disk.device, about.device);
  EXPECT_EQ(back.disk.bytes, about.bytes);
  EXPECT_EQ(back.disk.mark, about.mark);
  EXPECT_TRUE(back.disk.read_only && back.disk.force);
  EXPECT_FALSE(parse_request(R"({"command":"disk-attach","disks":"root"})").ok());
  EXPECT_FALSE(parse_request(R"({"command":"disk-attach","disks":[7]})").ok());
  EXPECT_FALSE(parse_request(R"({"command":"disk-resize","bytes":-1})").ok());
}

TEST(ControlProtocol, RefusesHostileRequests) {
  const std::string deep(4000, '[');
  const std::string nested = std::string(1000, '[') + std::string(1000, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("{}"), deep, nested,
        std::string("{\"command\":7}"), std::string("{\"command\":\"format\"}"), std::string("{\"command\":null}"),
        std::string("{\"command\":{\"command\":\"kill\"}}"), std::string("\xff\xfe\x00", 3),
        std::string("{\"command\":\"\xff\"}"), std::string("{\"command\":\"kill\"} x")}) {
    EXPECT_FALSE(parse_request(text).ok()) << text;
  }
}

TEST(ControlProtocol, RepliesAreOneLineWhateverTheyHold) {
  VmState state;
  state.message = "two\nlines \xff";
  for (const std::string& reply : {encode_status_reply(state), encode_error(Error(ErrorCode::kIo, "a\nb"))}) {
    EXPECT_EQ(reply.find('\n'), reply.size() - 1);
  }
}

class ControlServerTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = virtio::IoThread::start("control").value();
    loop_->loop().call([this] {
      server_ = ControlServer::create(loop_->loop(), vm_.control_socket(), [this](const Request& request) {
                  last_ = request.command;
                  return last_ == Command::kStats ? encode_stats_reply({{"blocks", 7}}) : encode_ok();
                }).value();
    });
  }
  void TearDown() override {
    loop_->loop().call([this] { server_.reset(); });
  }
  // Sends raw bytes and gives back all that comes until the server closes or falls silent.
  std::string exchange(const std::string& bytes) const {
    const os::Fd socket = os::connect_unix(vm_.control_socket()).value();
    if (!os::send_all(socket.get(), bytes, kPatience)) return "dropped";
    ::shutdown(socket.get(), SHUT_WR);
    std::string all;
    while (true) {
      const Result<std::string> some = os::receive_some(socket.get(), kPatience);
      if (!some || some->empty()) return all;
      all += *some;
    }
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(testing::TempDir() + "control-").value();
  VmDirectory vm_{folder_.path()};
  std::unique_ptr<virtio::IoThread> loop_;
  std::unique_ptr<ControlServer> server_;
  Command last_ = Command::kStatus;
};

TEST_F(ControlServerTest, CarriesOutAndAnswers) {
  EXPECT_TRUE(ask(vm_, Command::kStop).ok());
  EXPECT_EQ(last_, Command::kStop);
  const engine::Counters counters = parse_stats_reply(ask(vm_, Command::kStats).value()).value();
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0].first, "blocks");
  EXPECT_EQ(counters[0].second, 7U);
}

TEST_F(ControlServerTest, SurvivesHostileClients) {
  exchange(std::string(2 * kMaxRequest, 'x'));  // no line in sight: dropped
  exchange(std::string(100, '\n'));
  EXPECT_NE(exchange("{\"command\":1}\n").find("\"ok\":false"), std::string::npos);
  EXPECT_EQ(exchange("{\"command\":\"ki"), "");
  std::vector<os::Fd> idle;
  for (std::size_t i = 0; i < 2 * ControlServer::kMaxClients; ++i) {
    idle.push_back(os::connect_unix(vm_.control_socket()).value());
  }
  idle.clear();
  // Idle clients are let go as they leave; then there is room again.
  Result<std::string> reply = ask(vm_, Command::kStatus);
  for (int attempt = 0; !reply && attempt < 100; ++attempt) reply = ask(vm_, Command::kStatus);
  EXPECT_TRUE(reply.ok());
}

TEST_F(ControlServerTest, NobodyListensAfterTheEnd) {
  loop_->loop().call([this] { server_.reset(); });
  EXPECT_EQ(ask(vm_, Command::kStatus).error().code(), ErrorCode::kNotFound);
}

TEST_F(ControlServerTest, ReplacesTheSocketOfADeadProcess) {
  loop_->loop().call([this] { server_.reset(); });
  Result<std::unique_ptr<ControlServer>> again = Error(ErrorCode::kIo, "not made");
  loop_->loop().call([&] {
    again = ControlServer::create(loop_->loop(), vm_.control_socket(), [](const Request&) { return encode_ok(); });
    server_ = std::move(again).value();
  });
  EXPECT_TRUE(ask(vm_, Command::kStatus).ok());
}

TEST(ConsoleHub, LogsShowsAndTypes) {
  const auto folder = os::TemporaryDirectory::create(testing::TempDir() + "console-").value();
  const std::string socket_path = folder.path() / "console.sock";
  const std::string log_path = folder.path() / "console.log";
  const auto loop = virtio::IoThread::start("control").value();
  std::unique_ptr<ConsoleHub> hub;
  loop->loop().call([&] { hub = ConsoleHub::create(loop->loop(), socket_path, log_path).value(); });
  const auto print = [&](std::string_view text) {
    hub->write({reinterpret_cast<const u8*>(text.data()), text.size()});
  };
  print("before ");
  const os::Fd client = os::connect_unix(socket_path).value();
  EXPECT_EQ(os::receive_some(client.get(), kPatience).value(), "before ");
  print("after");
  EXPECT_EQ(os::receive_some(client.get(), kPatience).value(), "after");
  EXPECT_EQ(os::read_file(log_path).value(), "before after");

  hub->set_input([&](std::span<const u8> typed) { hub->write(typed); });
  ASSERT_TRUE(os::send_all(client.get(), "echo", kPatience).ok());
  EXPECT_EQ(os::receive_some(client.get(), kPatience).value(), "echo");
  hub->set_input({});
  hub.reset();
  EXPECT_EQ(os::receive_some(client.get(), kPatience).value(), "");
}

TEST(ConsoleHub, AGuestCannotFillTheDisk) {
  const auto folder = os::TemporaryDirectory::create(testing::TempDir() + "console-").value();
  const std::string log_path = folder.path() / "console.log";
  const auto loop = virtio::IoThread::start("control").value();
  std::unique_ptr<ConsoleHub> hub;
  loop->loop().call([&] { hub = ConsoleHub::create(loop->loop(), folder.path() / "s", log_path).value(); });
  const std::vector<u8> chunk(64 * kKiB, 'x');
  for (u64 written = 0; written < 3 * ConsoleHub::kMaxLog; written += chunk.size()) hub->write(chunk);
  EXPECT_LE(std::filesystem::file_size(log_path), ConsoleHub::kMaxLog);
  EXPECT_LE(std::filesystem::file_size(log_path + ".old"), ConsoleHub::kMaxLog);
}

}  // namespace
}  // namespace pileus::vmm
