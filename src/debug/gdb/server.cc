#include "debug/gdb/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

#include "base/log.h"
#include "debug/gdb/session.h"
#include "os/tcp.h"
#include "os/unix_socket.h"

namespace pileus::debug::gdb {

namespace {

constexpr std::string_view kUnix = "unix:", kTcp = "tcp:127.0.0.1:";
constexpr std::chrono::seconds kSendPatience{10};

// The machine as Session wants it.
class MachineTarget final : public Target {
 public:
  explicit MachineTarget(machine::Machine& machine) : machine_(machine) {}
  u32 cpu_count() const override { return static_cast<u32>(machine_.vcpus().size()); }
  engine::CpuState state(u32 cpu) const override { return machine_.vcpus()[cpu]->state(); }
  Result<> set_state(u32 cpu, const engine::CpuState& state) override {
    return machine_.vcpus()[cpu]->set_state(state);
  }
  guest::GuestMemory& memory() override { return machine_.memory(); }
  void pause() override { machine_.pause(); }
  void kill() override { machine_.stop(); }

  Result<> resume(const std::vector<Action>& actions, const std::vector<engine::Breakpoint>& breakpoints) override {
    std::vector<bool> held;
    for (u32 cpu = 0; cpu < actions.size(); ++cpu) {
      held.push_back(actions[cpu] == Action::kStay);
      if (held.back()) continue;
      TRY(machine_.vcpus()[cpu]->set_debug({actions[cpu] == Action::kStep, breakpoints}));
    }
    machine_.resume_without(std::move(held));
    return {};
  }

 private:
  machine::Machine& machine_;
};

}  // namespace

Result<Address> parse_address(const std::string& text) {
  if (text.starts_with(kUnix) && text.size() > kUnix.size()) return Address(UnixAddress{text.substr(kUnix.size())});
  if (text.starts_with(kTcp)) {
    u16 port = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + kTcp.size(), end, port);
    if (error == std::errc() && at == end && port != 0) return Address(TcpAddress{port});
  }
  return Error(ErrorCode::kInvalid, "'" + text + "' is no place for GDB: use unix:PATH or tcp:127.0.0.1:PORT");
}

std::string to_string(const Address& address) {
  if (const auto* socket = std::get_if<UnixAddress>(&address)) return std::string(kUnix) + socket->path;
  return std::string(kTcp) + std::to_string(std::get<TcpAddress>(address).port);
}

Result<std::unique_ptr<Server>> Server::listen(const Address& address) {
  os::Fd listener;
  if (const auto* socket = std::get_if<UnixAddress>(&address)) {
    listener = TRY(os::listen_unix(socket->path).with("--gdb"));
  } else {
    listener = TRY(os::listen_loopback(std::get<TcpAddress>(address).port).with("--gdb"));
  }
  os::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return Error::from_errno("eventfd");
  return std::unique_ptr<Server>(new Server(std::move(listener), std::move(wake)));
}

Server::~Server() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void Server::serve(machine::Machine& machine) {
  machine_ = &machine;
  thread_ = std::thread([this] { loop(); });
}

void Server::wake() {
  const u64 one = 1;
  // It cannot fail but for being full, and then it is awake.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Server::on_stop(u32 cpu, const engine::DebugStop& stop) {
  {
    const std::scoped_lock lock(mutex_);
    stops_.push_back({cpu, stop});
  }
  wake();
}

std::vector<Server::Stop> Server::take_stops() {
  u64 count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
  const std::scoped_lock lock(mutex_);
  return std::exchange(stops_, {});
}

bool Server::is_ending() {
  const std::scoped_lock lock(mutex_);
  return ending_;
}

void Server::loop() {
  ::pthread_setname_np(::pthread_self(), "gdb");
  while (!is_ending()) {
    std::array<pollfd, 2> entries{{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) take_stops();  // of a GDB that has gone
    if (entries[0].revents == 0) continue;
    const Result<os::Fd> client = os::accept_connection(listener_.get());
    if (!client) continue;
    const int on = 1;  // packets are small and waited for; not for local sockets, which know no such delay
    ::setsockopt(client->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    log::info("a debugger is connected: the guest stands still");
    serve_client(client->get());
    log::info("the debugger has gone");
  }
}

void Server::serve_client(int client) {
  take_stops();
  MachineTarget target(*machine_);
  Session session(target, [client](std::string_view bytes) {
    // A peer that takes nothing is noticed when it is read from.
    if (!os::send_all(client, bytes, kSendPatience)) ::shutdown(client, SHUT_RDWR);
  });
  for (;;) {
    std::array<pollfd, 2> entries{{{client, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) {
      for (const Stop& stop : take_stops()) session.on_stop(stop.cpu, stop.stop);
      if (is_ending()) return session.on_end();
    }
    if (entries[0].revents == 0) continue;
    std::array<char, 4096> bytes;
    const ssize_t got = ::recv(client, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0 || !session.receive({bytes.data(), static_cast<std::size_t>(got)})) return;
  }
}

}  // namespace pileus::debug::gdb
