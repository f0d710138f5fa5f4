#include "virtio/switch_backend.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "os/unix_socket.h"
#include "packet/frame_socket.h"

namespace pileus::virtio {
namespace {

constexpr u64 kRetryNs = 200'000'000;
constexpr int kFramesAtOnce = 64;  // before other devices get their turn

}  // namespace

Result<std::unique_ptr<SwitchBackend>> SwitchBackend::create(os::EventLoop& loop, std::string path) {
  std::unique_ptr<SwitchBackend> self(new SwitchBackend(loop, std::move(path)));
  Result<> started;
  loop.call([&] { started = self->start(); });
  TRY(std::move(started));
  return self;
}

SwitchBackend::~SwitchBackend() {
  loop_.call([this] {
    disconnect();
    retry_.reset();
  });
}

Result<> SwitchBackend::start() {
  incoming_.resize(packet::kMaxFrame);
  retry_ = TRY(os::Timer::create(loop_, [this] { connect(); }));
  connect();
  return {};
}

void SwitchBackend::connect() {
  Result<os::Fd> socket = os::connect_unix(path_, SOCK_SEQPACKET);
  if (socket) {
    socket_ = std::move(socket).value();
    const Result<> added = loop_.add(socket_.get(), EPOLLIN, [this](u32 events) { on_events(events); });
    if (added) return;
    log::warn("the virtual switch: {}", added.error().message());
    socket_ = os::Fd();
  }
  retry_->arm(kRetryNs);
}

void SwitchBackend::disconnect() {
  if (!socket_.valid()) return;
  loop_.remove(socket_.get());
  socket_ = os::Fd();
  held_.clear();
  blocked_ = false;
}

void SwitchBackend::on_events(u32 events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    log::info("the virtual switch has ended: waiting for it to come back");
    disconnect();
    retry_->arm(kRetryNs);
    if (ready_) ready_();
    return;
  }
  if ((events & EPOLLIN) != 0) receive();
  if ((events & EPOLLOUT) == 0 || !blocked_ || !packet::send_frame(socket_.get(), held_offload_, held_)) return;
  held_.clear();
  blocked_ = false;
  watch_for_room(false);
  if (ready_) ready_();
}

void SwitchBackend::receive() {
  for (int i = 0; i < kFramesAtOnce && socket_.valid(); ++i) {
    packet::Offload offload;
    bool whole = false;
    const std::span<u8> frame = packet::receive_frame(socket_.get(), incoming_, &offload, &whole);
    if (frame.empty()) return;
    if (whole && receiver_) receiver_(offload, frame);
  }
}

void SwitchBackend::send(const packet::Offload& offload, std::span<u8> frame) {
  if (!socket_.valid() || packet::send_frame(socket_.get(), offload, frame)) return;
  held_offload_ = offload;
  held_.assign(frame.begin(), frame.end());
  blocked_ = true;
  watch_for_room(true);
}

void SwitchBackend::watch_for_room(bool wanted) {
  const Result<> changed = loop_.modify(socket_.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (!changed) log::warn("the virtual switch: {}", changed.error().message());
}

}  // namespace pileus::virtio
