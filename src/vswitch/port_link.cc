#include "vswitch/port_link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "os/unix_socket.h"
#include "packet/frame_socket.h"

namespace pileus::vswitch {
namespace {

constexpr int kFramesAtOnce = 64;                  // before other ports get their turn
constexpr std::size_t kMostWaiting = 4 * kMiB;     // of frames for a VM that is slow
constexpr std::size_t kOverhead = 128;             // of a short frame that waits

}  // namespace

Result<std::unique_ptr<PortLink>> PortLink::create(os::EventLoop& loop, const std::filesystem::path& path,
                                                   Receiver receiver) {
  std::unique_ptr<PortLink> self(new PortLink(loop, path, std::move(receiver)));
  self->listener_ = TRY(os::listen_unix(path, SOCK_SEQPACKET));
  TRY(loop.add(self->listener_.get(), EPOLLIN, [link = self.get()](u32) { link->accept(); }));
  return self;
}

PortLink::~PortLink() {
  disconnect();
  if (!listener_.valid()) return;
  loop_.remove(listener_.get());
  std::error_code ignored;  // somebody tidied up
  std::filesystem::remove(path_, ignored);
}

// A port has one VM: whoever comes later is its VMM, started anew.
void PortLink::accept() {
  Result<os::Fd> socket = os::accept_connection(listener_.get());
  if (!socket) return;
  disconnect();
  socket_ = std::move(socket).value();
  const Result<> added = loop_.add(socket_.get(), EPOLLIN, [this](u32 events) { on_events(events); });
  if (added) return;
  log::warn("port {}: {}", path_.stem().string(), added.error().message());
  socket_ = os::Fd();
}

void PortLink::disconnect() {
  waiting_.clear();
  waiting_bytes_ = 0;
  if (!socket_.valid()) return;
  loop_.remove(socket_.get());
  socket_ = os::Fd();
}

void PortLink::on_events(u32 events) {
  if ((events & EPOLLIN) != 0) receive();
  if ((events & EPOLLOUT) != 0) send_waiting();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) disconnect();
}

void PortLink::receive() {
  for (int i = 0; i < kFramesAtOnce && socket_.valid(); ++i) {
    packet::Offload offload;
    bool whole = false;
    const std::span<u8> frame = packet::receive_frame(socket_.get(), incoming_, &offload, &whole);
    if (frame.empty()) return;
    if (whole) receiver_(offload, frame);
  }
}

void PortLink::send(const packet::Offload& offload, std::span<const u8> frame) {
  if (!socket_.valid()) return;
  if (waiting_.empty() && packet::send_frame(socket_.get(), offload, frame)) return;
  if (waiting_bytes_ + frame.size() + kOverhead > kMostWaiting) {
    ++dropped_;
    return;
  }
  if (waiting_.empty()) watch(true);
  waiting_.push_back({offload, {frame.begin(), frame.end()}});
  waiting_bytes_ += frame.size() + kOverhead;
}

void PortLink::send_waiting() {
  while (!waiting_.empty() && packet::send_frame(socket_.get(), waiting_.front().offload, waiting_.front().frame)) {
    waiting_bytes_ -= waiting_.front().frame.size() + kOverhead;
    waiting_.pop_front();
  }
  if (waiting_.empty()) watch(false);
}

void PortLink::watch(bool for_room) {
  const Result<> changed = loop_.modify(socket_.get(), for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (!changed) log::warn("port {}: {}", path_.stem().string(), changed.error().message());
}

}  // namespace pileus::vswitch
