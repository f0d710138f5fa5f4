// The switch with its sockets: VMs that come and go, configurations, restarts.
#include "vswitch/switch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <thread>

#include "os/file.h"
#include "os/tcp.h"
#include "os/unix_socket.h"
#include "packet/ipv4.h"
#include "vswitch/control.h"

namespace pileus::vswitch {
namespace {

using Frame = std::vector<u8>;
constexpr Ipv4Address kA = 0xAC1F'0005;
constexpr Ipv4Address kB = 0xAC1F'0006;

MacAddress mac_of(Ipv4Address address) { return {2, 0, 0, 0, 0, static_cast<u8>(address)}; }

// A VM's end of a port.
class Guest {
 public:
  Guest(const std::filesystem::path& folder, const std::string& port) {
    Result<os::Fd> socket = os::connect_unix(folder / "ports" / (port + ".port"), SOCK_SEQPACKET);
    EXPECT_TRUE(socket.ok());
    if (!socket) return;
    socket_ = std::move(socket).value();
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  bool send(const Frame& frame) const {
    Frame message(sizeof(packet::Offload));
    for (const u8 byte : frame) message.push_back(byte);
    return ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
  }
  // Empty: none came, or the switch has gone.
  Frame receive() const {
    Frame message(70'000);
    const ssize_t got = ::recv(socket_.get(), message.data(), message.size(), 0);
    const auto header = static_cast<ssize_t>(sizeof(packet::Offload));
    if (got <= header) return {};
    return {message.begin() + header, message.begin() + got};
  }

 private:
  os::Fd socket_;
};

Frame datagram(Ipv4Address from, Ipv4Address to, u8 mark) {
  const Frame payload(100, mark);
  return packet::build_udp({.source_mac = mac_of(from),
                            .destination_mac = mac_of(to),
                            .source = from,
                            .destination = to,
                            .source_port = 5000,
                            .destination_port = 6000},
                           payload);
}

class SwitchTest : public ::testing::Test {
 protected:
  SwitchTest() : folder_(std::move(os::TemporaryDirectory::create("/tmp/pileus-switch-")).value()) { start(); }
  ~SwitchTest() override { stop(); }

  void start() {
    loop_ = std::move(os::EventLoop::create()).value();
    Result<std::unique_ptr<Controlled>> made = Controlled::create(*loop_, folder_.path());
    ASSERT_TRUE(made.ok()) << made.error().message();
    switch_ = std::move(made).value();
    thread_ = std::thread([this] { loop_->run(); });
  }
  void stop() {
    loop_->stop();
    thread_.join();
    switch_.reset();
    loop_.reset();
  }
  static Config config() {
    Config config;
    config.networks[7] = {*packet::parse_cidr("172.31.0.0/16")};
    Rule out;
    out.egress = true;
    config.groups["all"] = {.rules = {Rule(), out}, .members = {}};
    for (const auto& [id, address] : {std::pair{"a", kA}, std::pair{"b", kB}}) {
      Port port;
      port.id = id;
      port.network = 7;
      port.mac = mac_of(address);
      port.address = address;
      port.subnet = *packet::parse_cidr("172.31.0.0/20");
      port.groups = {"all"};
      config.ports[id] = port;
    }
    return config;
  }
  void apply(const Config& config) {
    const auto problems = apply_to_switch(folder_.path(), config);
    ASSERT_TRUE(problems.ok()) << problems.error().message();
    EXPECT_TRUE(problems->empty());
  }
  // Frames pass one way, if need be after some that were lost while the VM was being plugged in.
  static void expect_link(const Guest& from, const Guest& to, Ipv4Address source, Ipv4Address destination) {
    const Frame frame = datagram(source, destination, 1);
    ASSERT_TRUE(from.send(frame));
    EXPECT_EQ(to.receive(), frame);
  }

  os::TemporaryDirectory folder_;
  std::unique_ptr<os::EventLoop> loop_;
  std::unique_ptr<Controlled> switch_;
  std::thread thread_;
};

TEST_F(SwitchTest, LinksVms) {
  apply(config());
  const Guest a(folder_.path(), "a");
  const Guest b(folder_.path(), "b");
  ASSERT_TRUE(ask_switch_stats(folder_.path()).ok());  // by then both are plugged in
  expect_link(a, b, kA, kB);
  expect_link(b, a, kB, kA);
  EXPECT_NE(ask_switch_stats(folder_.path())->find("\"connected\":true"), std::string::npos);
}

TEST_F(SwitchTest, ANewSwitchGoesOnWhereTheLastStopped) {
  apply(config());
  stop();
  start();
  const Guest a(folder_.path(), "a");
  const Guest b(folder_.path(), "b");
  ASSERT_TRUE(ask_switch_stats(folder_.path()).ok());
  expect_link(a, b, kA, kB);
}

TEST_F(SwitchTest, TheLaterVmHasThePort) {
  apply(config());
  const Guest before(folder_.path(), "b");
  const Guest a(folder_.path(), "a");
  const Guest b(folder_.path(), "b");
  ASSERT_TRUE(ask_switch_stats(folder_.path()).ok());
  expect_link(a, b, kA, kB);
  EXPECT_TRUE(before.receive().empty());
}

TEST_F(SwitchTest, PortsThatAreNotWantedAnyMoreEnd) {
  apply(config());
  const Guest a(folder_.path(), "a");
  const Guest b(folder_.path(), "b");
  Config fewer = config();
  fewer.ports.erase("b");
  apply(fewer);
  EXPECT_TRUE(b.receive().empty());
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "ports" / "b.port"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "ports" / "a.port"));
}

// Who does not take its frames loses them, and nobody else does.
TEST_F(SwitchTest, AVmThatTakesNothingHarmsNobody) {
  apply(config());
  const Guest a(folder_.path(), "a");
  const Guest b(folder_.path(), "b");
  ASSERT_TRUE(ask_switch_stats(folder_.path()).ok());
  for (int i = 0; i < 60'000; ++i) ASSERT_TRUE(a.send(datagram(kA, kB, 2)));
  ASSERT_TRUE(ask_switch_stats(folder_.path()).ok());
  expect_link(b, a, kB, kA);
  const std::string stats = *ask_switch_stats(folder_.path());
  EXPECT_EQ(stats.find("\"b\":{\"bytes_from_guest\":0"), std::string::npos) << stats;
  int taken = 0;
  while (taken < 60'000 && b.receive() == datagram(kA, kB, 2)) {
    if (++taken == 1000) break;
  }
  EXPECT_EQ(taken, 1000);  // those that waited
}

TEST_F(SwitchTest, MappedPortsAreTheHosts) {
  Config mapped = config();
  const u16 port = *os::find_free_port();
  mapped.ports["a"].mappings = {{.host_address = "127.0.0.1", .host_port = port, .guest_port = 22}};
  apply(mapped);
  EXPECT_EQ(os::check_port_free(port).error().code(), ErrorCode::kBusy);
  apply(config());
  EXPECT_TRUE(os::check_port_free(port).ok());
  // Somebody else's: said, and the rest is done.
  const Result<os::Fd> taken = os::listen_loopback(port);
  ASSERT_TRUE(taken.ok());
  const auto problems = apply_to_switch(folder_.path(), mapped);
  ASSERT_TRUE(problems.ok());
  ASSERT_EQ(problems->size(), 1U);
  EXPECT_NE(problems->at("a").find("in use"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "ports" / "b.port"));
}

TEST_F(SwitchTest, RefusesWhatItCannotRead) {
  const auto ask = [&](const std::string& line) {
    return *os::ask_line(folder_.path() / "control.sock", line + "\n", kKiB);
  };
  EXPECT_NE(ask("nonsense").find("\"ok\":false"), std::string::npos);
  EXPECT_NE(ask(R"({"command":"apply"})").find("\"ok\":false"), std::string::npos);
  EXPECT_NE(ask(R"({"command":"apply","config":{}})").find("networks"), std::string::npos);
}

}  // namespace
}  // namespace pileus::vswitch
