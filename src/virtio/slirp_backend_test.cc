#include "virtio/slirp_backend.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "os/fd.h"
#include "virtio/io_thread.h"

namespace pileus::virtio {
namespace {

using Frame = std::vector<u8>;

constexpr std::array<u8, 6> kMac = {2, 0, 0, 0, 0, 9};
constexpr std::array<u8, 4> kGuest = {10, 0, 2, 15};
constexpr std::array<u8, 4> kGateway = {10, 0, 2, 2};

template <typename Bytes>
void append(Frame& frame, const Bytes& bytes) {
  for (const u8 byte : bytes) frame.push_back(byte);  // insert() makes GCC 12 see accesses out of bounds at -O3
}

Frame ethernet(u16 type) {
  Frame frame(6, 0xFF);
  append(frame, kMac);
  append(frame, std::array<u8, 2>{static_cast<u8>(type >> 8), static_cast<u8>(type)});
  return frame;
}

// "10.0.2.15 is at kMac", to everybody.
Frame arp_announcement() {
  Frame frame = ethernet(0x0806);
  append(frame, std::array<u8, 8>{0, 1, 8, 0, 6, 4, 0, 2});
  append(frame, kMac);
  append(frame, kGuest);
  append(frame, kMac);
  append(frame, kGuest);
  frame.resize(64);
  return frame;
}

Frame dhcp_discover() {
  Frame bootp(300, 0);
  bootp[0] = 1;  // request, Ethernet, 6 bytes of address
  bootp[1] = 1;
  bootp[2] = 6;
  bootp[4] = 0x77;  // transaction
  std::copy(kMac.begin(), kMac.end(), bootp.begin() + 28);
  const std::array<u8, 8> options = {99, 130, 83, 99, 53, 1, 1, 255};
  std::copy(options.begin(), options.end(), bootp.begin() + 236);

  Frame frame = ethernet(0x0800);
  const auto udp_length = static_cast<u16>(8 + bootp.size());
  const auto ip_length = static_cast<u16>(20 + udp_length);
  std::array<u8, 20> ip = {0x45,
                           0,
                           static_cast<u8>(ip_length >> 8),
                           static_cast<u8>(ip_length),
                           0,
                           0,
                           0,
                           0,
                           64,
                           17,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0xFF,
                           0xFF,
                           0xFF,
                           0xFF};
  u32 sum = 0;
  for (std::size_t i = 0; i < ip.size(); i += 2) sum += u32{ip[i]} << 8 | ip[i + 1];
  sum = (sum & 0xFFFF) + (sum >> 16);
  sum = ~(sum + (sum >> 16));
  ip[10] = static_cast<u8>(sum >> 8);
  ip[11] = static_cast<u8>(sum);
  append(frame, ip);
  append(frame, std::array<u8, 8>{0, 68, 0, 67, static_cast<u8>(udp_length >> 8), static_cast<u8>(udp_length), 0, 0});
  append(frame, bootp);
  return frame;
}

class SlirpTest : public ::testing::Test {
 protected:
  SlirpTest() : io_(std::move(IoThread::start("test-net")).value()) {}
  ~SlirpTest() override {
    if (!net_) return;
    io_->loop().call([this] { net_->set_receiver({}); });
  }

  Result<> start(const SlirpOptions& options) {
    net_ = TRY(SlirpBackend::create(io_->loop(), options));
    io_->loop().call([this] {
      net_->set_receiver([this](const packet::Offload& /*offload*/, std::span<const u8> frame) {
        const std::lock_guard lock(mutex_);
        frames_.emplace_back(frame.begin(), frame.end());
        changed_.notify_all();
      });
    });
    return {};
  }
  void send(Frame frame) {
    io_->loop().call([&] { net_->send({}, frame); });
  }
  template <typename Predicate>
  Frame wait_for(Predicate predicate) {
    std::unique_lock lock(mutex_);
    Frame found;
    changed_.wait_for(lock, std::chrono::seconds(120), [&] {
      const auto frame = std::find_if(frames_.begin(), frames_.end(), predicate);
      if (frame != frames_.end()) found = *frame;
      return !found.empty();
    });
    return found;
  }

  // A socket on a free port of 127.0.0.1.
  static std::pair<os::Fd, u16> bound_socket() {
    os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd.get(), generic, length), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
    EXPECT_EQ(::getsockname(fd.get(), generic, &length), 0);
    return {std::move(fd), ntohs(address.sin_port)};
  }
  static u16 free_port() { return bound_socket().second; }
  static os::Fd connect_to(u16 port) {
    os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
    return fd;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Frame> frames_;
  std::unique_ptr<IoThread> io_;
  std::unique_ptr<SlirpBackend> net_;
};

TEST_F(SlirpTest, TheGuestIsOfferedAnAddress) {
  ASSERT_TRUE(start({.network = {.host_name = "guest-1"}}).ok());
  send(dhcp_discover());
  const Frame offer = wait_for(
      [](const Frame& frame) { return frame.size() > 282 && frame[23] == 17 && frame[36] == 0 && frame[37] == 68; });
  ASSERT_FALSE(offer.empty());
  EXPECT_TRUE(std::equal(kGuest.begin(), kGuest.end(), offer.begin() + 42 + 16));
}

TEST_F(SlirpTest, APortOfTheHostLeadsIntoTheGuest) {
  const u16 port = free_port();
  const Result<> started = start({.forwards = {{.host_port = port, .guest_port = 22}}});
  ASSERT_TRUE(started.ok()) << started.error().message();
  send(arp_announcement());
  const os::Fd client = connect_to(port);
  ASSERT_TRUE(client.valid());
  const Frame syn = wait_for([](const Frame& frame) {
    return frame.size() >= 54 && frame[12] == 8 && frame[13] == 0 && frame[23] == 6 && (frame[47] & 2) != 0;
  });
  ASSERT_FALSE(syn.empty());
  EXPECT_TRUE(std::equal(kMac.begin(), kMac.end(), syn.begin()));
  EXPECT_TRUE(std::equal(kGateway.begin(), kGateway.end(), syn.begin() + 26));
  EXPECT_TRUE(std::equal(kGuest.begin(), kGuest.end(), syn.begin() + 30));
  EXPECT_EQ(syn[36] << 8 | syn[37], 22);
}

TEST_F(SlirpTest, APortInUseIsRefusedWithASentence) {
  const auto [taken, port] = bound_socket();
  const Result<> started = start({.forwards = {{.host_port = port, .guest_port = 22}}});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), ErrorCode::kBusy);
  EXPECT_NE(started.error().message().find(std::to_string(port)), std::string::npos);
  EXPECT_NE(started.error().message().find("in use"), std::string::npos);
}

TEST_F(SlirpTest, TheEndGivesThePortBack) {
  const u16 port = free_port();
  for (int i = 0; i < 3; ++i) {
    const Result<> started = start({.forwards = {{.host_port = port, .guest_port = 22}}});
    ASSERT_TRUE(started.ok()) << started.error().message();
    const os::Fd client = connect_to(port);
    EXPECT_TRUE(client.valid());
    net_.reset();
  }
  EXPECT_FALSE(connect_to(port).valid());
}

TEST_F(SlirpTest, HostileFramesAreHarmless) {
  ASSERT_TRUE(start({}).ok());
  send({});
  Frame noise = dhcp_discover();
  for (std::size_t i = 0; i < noise.size(); ++i) {
    Frame bad = noise;
    bad[i] ^= 0xFF;
    send(bad);
    bad.resize(i);
    send(bad);
  }
  send(Frame(65536, 0xFF));
}

}  // namespace
}  // namespace pileus::virtio
