// How libslirp is driven: it wants to be asked before every wait which descriptors to watch, and to
// be told afterwards what happened to them. A hook of the event loop does both, once for a whole
// round of events, frames and timers.
#include "nat/user_network.h"

#include <arpa/inet.h>
#include <libslirp.h>
#include <sys/epoll.h>

#include <chrono>
#include <unordered_map>
#include <utility>

#include "base/log.h"

namespace pileus::nat {

namespace {

constexpr u64 kNsPerMs = 1'000'000;
constexpr int kMaxGuestErrors = 10;

in_addr address(u32 number) { return {htonl(number)}; }

i64 now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

u32 epoll_of(int slirp_events) {
  u32 events = 0;
  if ((slirp_events & SLIRP_POLL_IN) != 0) events |= EPOLLIN;
  if ((slirp_events & SLIRP_POLL_OUT) != 0) events |= EPOLLOUT;
  if ((slirp_events & SLIRP_POLL_PRI) != 0) events |= EPOLLPRI;
  return events;
}

int slirp_of(u32 events) {
  int slirp_events = 0;
  if ((events & EPOLLIN) != 0) slirp_events |= SLIRP_POLL_IN;
  if ((events & EPOLLOUT) != 0) slirp_events |= SLIRP_POLL_OUT;
  if ((events & EPOLLPRI) != 0) slirp_events |= SLIRP_POLL_PRI;
  if ((events & EPOLLERR) != 0) slirp_events |= SLIRP_POLL_ERR;
  if ((events & EPOLLHUP) != 0) slirp_events |= SLIRP_POLL_HUP;
  return slirp_events;
}

}  // namespace

// All of it lives on the loop's thread.
struct UserNetwork::Impl {
  struct Watched {
    u32 events = 0;    // as the loop watches for it
    u32 happened = 0;  // since slirp was last told
    bool asked = false;
  };

  explicit Impl(os::EventLoop& event_loop) : loop(event_loop) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Result<> start(const UserNetworkOptions& options);
  void before_wait();
  void tell_events();
  void ask_descriptors();
  int want(int fd, int events);
  void unwatch(int fd);
  void mark(int fd, u32 events);

  static const SlirpCb& callbacks();

  os::EventLoop& loop;
  Slirp* slirp = nullptr;
  u64 hook = 0;
  std::unique_ptr<os::Timer> timeout;
  Receiver receiver;
  std::string host_name;  // libslirp keeps pointers to what it was configured with
  std::unordered_map<int, Watched> watched;
  // Something happened, so that slirp must be told and its wishes may have changed.
  bool dirty = true;
  int guest_errors = 0;
};

namespace {

using Impl = UserNetwork::Impl;
Impl& impl_of(void* opaque) { return *static_cast<Impl*>(opaque); }

// A timer of slirp's own (IPv6 router advertisements; kept for completeness of its interface).
struct SlirpTimer {
  std::unique_ptr<os::Timer> timer;
};

ssize_t send_packet(const void* data, size_t length, void* opaque) {
  const Impl& impl = impl_of(opaque);
  if (impl.receiver) impl.receiver({static_cast<const u8*>(data), length});
  return static_cast<ssize_t>(length);
}

void guest_error(const char* message, void* opaque) {
  if (++impl_of(opaque).guest_errors <= kMaxGuestErrors) {
    log::debug("user network: the guest sent nonsense: {}", message);
  }
}

void* new_timer(SlirpTimerId id, void* timer_opaque, void* opaque) {
  Impl& impl = impl_of(opaque);
  auto timer = os::Timer::create(impl.loop, [&impl, id, timer_opaque] {
    slirp_handle_timer(impl.slirp, id, timer_opaque);
    impl.dirty = true;
  });
  if (!timer.ok()) log::warn("user network: {}", timer.error().message());
  return new SlirpTimer{timer.ok() ? std::move(timer).value() : nullptr};
}

void free_timer(void* timer, void*) { delete static_cast<SlirpTimer*>(timer); }

void set_timer(void* timer, i64 expire_ms, void*) {
  os::Timer* target = static_cast<SlirpTimer*>(timer)->timer.get();
  if (target == nullptr) return;
  const i64 delay_ms = expire_ms - now_ns() / i64{kNsPerMs};
  target->arm(delay_ms > 0 ? static_cast<u64>(delay_ms) * kNsPerMs : 0);
}

}  // namespace

const SlirpCb& UserNetwork::Impl::callbacks() {
  static const SlirpCb table = [] {
    SlirpCb cb{};
    cb.send_packet = send_packet;
    cb.guest_error = guest_error;
    cb.clock_get_ns = [](void*) -> int64_t { return now_ns(); };
    cb.timer_new_opaque = new_timer;
    cb.timer_free = free_timer;
    cb.timer_mod = set_timer;
    cb.register_poll_fd = [](int, void*) {};
    // Called before slirp closes a descriptor, whose number may be used again at once.
    cb.unregister_poll_fd = [](int fd, void* opaque) { impl_of(opaque).unwatch(fd); };
    cb.notify = [](void* opaque) { impl_of(opaque).dirty = true; };
    return cb;
  }();
  return table;
}

Result<> UserNetwork::Impl::start(const UserNetworkOptions& options) {
  host_name = options.host_name;
  SlirpConfig config{};
  config.version = SLIRP_CONFIG_VERSION_MAX;
  config.restricted = options.restricted ? 1 : 0;
  config.in_enabled = true;
  config.vnetwork = address(options.network);
  config.vnetmask = address(options.mask);
  config.vhost = address(options.gateway);
  config.vnameserver = address(options.name_server);
  config.vdhcp_start = address(options.guest);
  config.vhostname = host_name.empty() ? nullptr : host_name.c_str();
  config.if_mtu = options.mtu;
  config.if_mru = options.mtu;
  config.disable_host_loopback = !options.host_loopback;
  slirp = slirp_new(&config, &callbacks(), this);
  if (slirp == nullptr) return Error(ErrorCode::kIo, "the user network cannot be started");
  timeout = TRY(os::Timer::create(loop, [this] { dirty = true; }));
  hook = loop.add_hook([this] { before_wait(); });
  return {};
}

UserNetwork::Impl::~Impl() {
  if (hook != 0) loop.remove_hook(hook);
  if (slirp != nullptr) slirp_cleanup(slirp);
  for (const auto& [fd, entry] : watched) loop.remove(fd);
}

Result<> UserNetwork::add_forward(const Forward& forward) {
  in_addr host{};
  if (::inet_pton(AF_INET, forward.host_address.c_str(), &host) != 1) {
    return Error(ErrorCode::kInvalid, "'" + forward.host_address + "' is no IPv4 address");
  }
  errno = 0;
  impl_->dirty = true;
  // libslirp puts the guest's address of its own DHCP for none.
  if (slirp_add_hostfwd(impl_->slirp, 0, host, forward.host_port, address(forward.guest_address), forward.guest_port) ==
      0) {
    return {};
  }
  const int reason = errno;
  const std::string port = "port " + std::to_string(forward.host_port) + " of " + forward.host_address;
  if (reason == EADDRINUSE) {
    return Error(ErrorCode::kBusy, port +
                                       " is in use by another program; choose another one for "
                                       "the guest's port " +
                                       std::to_string(forward.guest_port));
  }
  return Error::from_errno("lead " + port + " into the guest", reason);
}

void UserNetwork::remove_forward(const Forward& forward) {
  in_addr host{};
  if (::inet_pton(AF_INET, forward.host_address.c_str(), &host) != 1) return;
  impl_->dirty = true;
  static_cast<void>(slirp_remove_hostfwd(impl_->slirp, 0, host, forward.host_port));  // gone is gone
}

Result<> UserNetwork::add_service(u32 service, u16 port, const std::string& path) {
  in_addr where = address(service);
  impl_->dirty = true;
  if (slirp_add_unix(impl_->slirp, path.c_str(), &where, port) == 0) return {};
  return Error(ErrorCode::kInvalid, "the service's address is not one of the user network");
}

// Once for each round of the loop, whatever happened in it.
void UserNetwork::Impl::before_wait() {
  if (!dirty) return;
  tell_events();
  dirty = false;  // what slirp does from here on marks it again, through notify()
  ask_descriptors();
}

void UserNetwork::Impl::tell_events() {
  slirp_pollfds_poll(
      slirp, 0,
      [](int fd, void* opaque) -> int {
        auto& map = impl_of(opaque).watched;
        const auto entry = map.find(fd);
        return entry == map.end() ? 0 : slirp_of(std::exchange(entry->second.happened, 0));
      },
      this);
}

void UserNetwork::Impl::ask_descriptors() {
  for (auto& [fd, entry] : watched) entry.asked = false;
  u32 timeout_ms = UINT32_MAX;
  slirp_pollfds_fill(
      slirp, &timeout_ms, [](int fd, int events, void* opaque) { return impl_of(opaque).want(fd, events); }, this);
  std::vector<int> unwanted;
  for (const auto& [fd, entry] : watched) {
    if (!entry.asked) unwanted.push_back(fd);
  }
  // Not kept with an empty mask: epoll would go on reporting a hang-up that nobody takes.
  for (const int fd : unwanted) unwatch(fd);
  if (timeout_ms == UINT32_MAX) {
    timeout->disarm();
  } else {
    timeout->arm(u64{timeout_ms} * kNsPerMs);
  }
}

// Slirp's index of a descriptor is the descriptor itself.
int UserNetwork::Impl::want(int fd, int slirp_events) {
  const u32 events = epoll_of(slirp_events);
  const auto known = watched.find(fd);
  if (known == watched.end()) {
    const Result<> added = loop.add(fd, events, [this, fd](u32 seen) { mark(fd, seen); });
    if (!added.ok()) {
      log::warn("user network: {}", added.error().message());
      return fd;
    }
    watched.emplace(fd, Watched{events, 0, true});
    return fd;
  }
  known->second.asked = true;
  if (known->second.events != events && loop.modify(fd, events).ok()) {
    known->second.events = events;
  }
  return fd;
}

void UserNetwork::Impl::unwatch(int fd) {
  loop.remove(fd);
  watched.erase(fd);
}

void UserNetwork::Impl::mark(int fd, u32 events) {
  watched[fd].happened |= events;
  dirty = true;
}

Result<std::unique_ptr<UserNetwork>> UserNetwork::create(os::EventLoop& loop, const UserNetworkOptions& options) {
  auto impl = std::make_unique<Impl>(loop);
  TRY(impl->start(options));
  return std::unique_ptr<UserNetwork>(new UserNetwork(std::move(impl)));
}

UserNetwork::UserNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

UserNetwork::~UserNetwork() = default;

void UserNetwork::send(std::span<const u8> frame) {
  slirp_input(impl_->slirp, frame.data(), static_cast<int>(frame.size()));
  impl_->dirty = true;
}

void UserNetwork::set_receiver(Receiver receiver) { impl_->receiver = std::move(receiver); }

}  // namespace pileus::nat
