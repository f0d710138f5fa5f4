// A bare guest under the translator, debugged through a socket.
#include "debug/gdb/server.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>

#include "debug/gdb/packet.h"
#include "machine/testing/kernels.h"
#include "os/unix_socket.h"

namespace pileus::debug::gdb {
namespace {

using namespace std::chrono_literals;
using machine::testing::kTestEntry;

// 00: mov ecx, 0x10000; 05: mov [0x1000800], rcx; 0d: dec ecx; 0f: jnz 05; 11: jmp 00
const std::string kGuest("\xB9\x00\x00\x01\x00\x48\x89\x0C\x25\x00\x08\x00\x01\xFF\xC9\x75\xF4\xEB\xED", 19);
constexpr u64 kStore = kTestEntry + 5, kDec = kTestEntry + 13, kAgain = kTestEntry + 17;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/pileus-gdb-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    auto server = Server::listen(UnixAddress{folder_ / "gdb.sock"});
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(*server);
    machine::MachineConfig config;
    config.memory_bytes = 64 * kMiB;
    config.make_engine = engine::create_bt;
    config.boot = machine::KernelBoot{machine::testing::make_elf(kGuest), {}, "", {}};
    config.on_debug_stop = [this](u32 cpu, const engine::DebugStop& stop) { server_->on_stop(cpu, stop); };
    auto machine = machine::Machine::create(std::move(config));
    ASSERT_TRUE(machine.ok()) << machine.error().message();
    machine_ = std::move(*machine);
    ASSERT_TRUE(machine_->pause());
    ASSERT_TRUE(machine_->start().ok());
    server_->serve(*machine_);
    connect();
  }
  void TearDown() override {
    server_.reset();
    machine_.reset();
    std::filesystem::remove_all(folder_);
  }
  void connect() {
    auto client = os::connect_unix(folder_ / "gdb.sock");
    ASSERT_TRUE(client.ok());
    client_ = std::move(*client);
    reader_ = {};
    ASSERT_EQ(ask("QStartNoAckMode"), "OK");
  }
  void send(std::string_view bytes) { ASSERT_TRUE(os::send_all(client_.get(), bytes, 5s).ok()); }
  std::string receive() {
    for (;;) {
      if (const auto received = reader_.next()) return received->text;
      const auto bytes = os::receive_some(client_.get(), 10s);
      if (!bytes || bytes->empty()) return "(end)";
      EXPECT_TRUE(reader_.append(*bytes));
    }
  }
  std::string ask(std::string_view packet) {
    send(encode_packet(packet));
    return receive();
  }
  u64 number(const std::string& packet) {
    u64 value = 0;
    const auto bytes = from_hex(ask(packet)).value_or(std::vector<u8>{});
    std::memcpy(&value, bytes.data(), std::min<std::size_t>(bytes.size(), 8));
    return value;
  }
  u64 rip() { return number("p10"); }
  u64 rcx() { return number("p2"); }
  static std::string z(const char* kind, u64 address, u64 length) {
    char text[64];
    std::snprintf(text, sizeof text, "%s,%llx,%llx", kind, static_cast<unsigned long long>(address),
                  static_cast<unsigned long long>(length));
    return text;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<machine::Machine> machine_;
  os::Fd client_;
  PacketReader reader_;
};

TEST_F(ServerTest, NothingHasRunBeforeTheFirstContinue) {
  EXPECT_EQ(ask("?"), "T05thread:1;");
  EXPECT_EQ(rip(), kTestEntry);
  EXPECT_EQ(ask("m1000000,5"), "b900000100");
}

TEST_F(ServerTest, StepsAndBreaks) {
  EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
  EXPECT_EQ(rip(), kStore);
  EXPECT_EQ(ask(z("Z0", kDec, 1)), "OK");
  for (u64 left = 0x10000; left > 0xFFF0; --left) {
    EXPECT_EQ(ask("vCont;c"), "T05thread:1;swbreak:;");
    EXPECT_EQ(rcx(), left);
    EXPECT_EQ(ask("m1000800,8"), to_hex({reinterpret_cast<const u8*>(&left), 8}));
    // As GDB goes over a breakpoint.
    ask(z("z0", kDec, 1));
    EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
    ask(z("Z0", kDec, 1));
  }
  EXPECT_EQ(ask("m100000d,2"), "ffc9");
}

TEST_F(ServerTest, WatchesMemory) {
  EXPECT_EQ(ask(z("Z2", kTestEntry + 0x800, 8)), "OK");
  EXPECT_EQ(ask("c"), "T05thread:1;watch:1000800;");
  EXPECT_EQ(rip(), kDec);
}

TEST_F(ServerTest, ChangesRegistersAndMemory) {
  ask(z("Z0", kAgain, 1));
  EXPECT_EQ(ask("c"), "T05thread:1;swbreak:;");
  EXPECT_EQ(rcx(), 0);
  // From here it would start again; now it counts from 3 only: the code was translated before.
  EXPECT_EQ(ask("M1000001,4:03000000"), "OK");
  EXPECT_EQ(ask("P10=0000000100000000"), "OK");
  EXPECT_EQ(rip(), kTestEntry);
  EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
  EXPECT_EQ(rcx(), 3);
}

TEST_F(ServerTest, InterruptsDetachesAndComesBack) {
  send(encode_packet("c"));
  send("\x03");
  EXPECT_EQ(receive(), "T02thread:1;");
  EXPECT_GE(rip(), kTestEntry);
  EXPECT_EQ(ask("D"), "OK");
  EXPECT_EQ(receive(), "(end)");
  connect();
  const u64 first = rcx();
  EXPECT_EQ(ask("vCont;s:1"), "T05thread:1;");
  ask(z("Z1", kDec, 1));
  EXPECT_EQ(ask("c"), "T05thread:1;hwbreak:;");
  EXPECT_LE(rcx(), std::max<u64>(first, 0x10000));
}

TEST_F(ServerTest, KillEndsTheMachine) {
  send(encode_packet("k"));
  EXPECT_EQ(receive(), "(end)");
  const auto end = machine_->wait(10s);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->reason, machine::EndReason::kStopped);
}

TEST_F(ServerTest, TellsOfTheEndOfTheMachine) {
  send(encode_packet("c"));
  send("\x03");
  EXPECT_EQ(receive(), "T02thread:1;");
  send(encode_packet("c"));
  EXPECT_EQ(ask(""), "");  // so the guest runs
  machine_->stop();
  EXPECT_TRUE(machine_->wait(10s).has_value());
  server_.reset();
  EXPECT_EQ(receive(), "W00");
}

TEST(Address, IsUnixOrLoopback) {
  EXPECT_EQ(to_string(*parse_address("unix:/a b/c")), "unix:/a b/c");
  EXPECT_EQ(to_string(*parse_address("tcp:127.0.0.1:1234")), "tcp:127.0.0.1:1234");
  for (const char* bad : {"", "unix:", "tcp:1234", "tcp:0.0.0.0:1234", "tcp:127.0.0.1:", "tcp:127.0.0.1:0",
                          "tcp:127.0.0.1:65536", "tcp:127.0.0.1:12x"}) {
    EXPECT_FALSE(parse_address(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace pileus::debug::gdb
