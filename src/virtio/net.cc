#include "virtio/net.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/result.h"

namespace pileus::virtio {

namespace {

constexpr u16 kReceiveQueue = 0;
constexpr u16 kTransmitQueue = 1;
constexpr std::array<u16, 2> kQueueSizes = {256, 256};
constexpr std::size_t kMaxWaiting = 256;  // frames

// Feature bits (5.1.3).
constexpr u64 kChecksum = u64{1} << 0;
constexpr u64 kGuestChecksum = u64{1} << 1;
constexpr u64 kMtu = u64{1} << 3;
constexpr u64 kMac = u64{1} << 5;
constexpr u64 kGuestTso4 = u64{1} << 7;
constexpr u64 kHostTso4 = u64{1} << 11;
constexpr u64 kMergeReceive = u64{1} << 15;
constexpr u64 kStatus = u64{1} << 16;

constexpr u16 kLinkUp = 1;

// 5.1.6.
struct Header {
  packet::Offload offload;
  u16 buffers;
};
static_assert(sizeof(Header) == 12);

// 5.1.4.
struct Config {
  MacAddress mac = {};
  u16 status = kLinkUp;
  u16 queue_pairs = 1;
  u16 mtu = 0;
};
static_assert(sizeof(Config) == 12);

}  // namespace

Net::Net(std::unique_ptr<NetBackend> backend, const MacAddress& mac, u16 mtu)
    : backend_(std::move(backend)), mac_(mac), mtu_(mtu) {}

Net::~Net() {
  backend_->set_receiver({});
  backend_->set_ready({});
}

u64 Net::features() const {
  const u64 segments = backend_->takes_offloads() ? kHostTso4 : 0;
  return kChecksum | kGuestChecksum | kMtu | kMac | kGuestTso4 | kMergeReceive | kStatus | segments;
}

std::span<const u16> Net::queue_sizes() const { return kQueueSizes; }

void Net::read_config(u32 offset, std::span<u8> out) const {
  Config config;
  config.mac = mac_;
  config.mtu = mtu_;
  std::array<u8, sizeof config> bytes;
  std::memcpy(bytes.data(), &config, bytes.size());
  copy_config(bytes, offset, out);
}

void Net::write_config(u32, std::span<const u8>) {}

void Net::activate(Activation activation) {
  active_ = std::move(activation);
  running_ = true;
  backend_->set_receiver(
      [this](const packet::Offload& offload, std::span<const u8> frame) { receive(offload, frame); });
  backend_->set_ready([this] {
    if (running_) transmit();
  });
}

void Net::reset() {
  backend_->set_receiver({});
  backend_->set_ready({});
  active_ = {};
  running_ = false;
  waiting_.clear();
}

void Net::notify(u16 queue) {
  if (!running_) return;
  if (queue == kReceiveQueue) deliver_waiting();
  if (queue == kTransmitQueue) transmit();
}

// What the guest cannot take as it comes is finished here.
void Net::receive(const packet::Offload& offload, std::span<const u8> frame) {
  if (!running_) return;
  if (offload.gso_type != packet::Offload::kNoSegments && !active_.has(kGuestTso4)) {
    finished_.assign(frame.begin(), frame.end());
    if (!packet::cut_segments(offload, finished_, [this](std::span<u8> piece) {
          receive({.flags = packet::Offload::kDataValid}, piece);
        })) {
      ++dropped_;
    }
    return;
  }
  if ((offload.flags & packet::Offload::kNeedsChecksum) != 0 && !active_.has(kGuestChecksum)) {
    packet::Offload left = offload;
    std::vector<u8> whole(frame.begin(), frame.end());
    if (packet::finish_checksum(left, whole)) receive(left, whole);
    return;
  }
  // A frame must not overtake those that wait.
  const Delivery delivery = waiting_.empty() ? deliver(offload, frame) : Delivery::kNoBuffers;
  active_.finish(kReceiveQueue);
  if (delivery == Delivery::kDone) return;
  if (delivery == Delivery::kTooBig || waiting_.size() >= kMaxWaiting || frame.size() > packet::kMaxFrame) {
    ++dropped_;
    return;
  }
  waiting_.push_back({offload, {frame.begin(), frame.end()}});
}

void Net::deliver_waiting() {
  while (!waiting_.empty()) {
    const Delivery delivery = deliver(waiting_.front().offload, waiting_.front().frame);
    if (delivery == Delivery::kNoBuffers) break;
    if (delivery == Delivery::kTooBig) ++dropped_;
    waiting_.pop_front();
  }
  active_.finish(kReceiveQueue);
}

// Takes receive buffers until `total` bytes fit; sets `count`. One buffer must do unless merging
// was negotiated (5.1.6.3.2). Unless this is kDone, all buffers stay in the queue.
Net::Delivery Net::take_buffers(u64 total, u16& count) {
  Queue& queue = active_.queues[kReceiveQueue];
  u64 room = 0;
  count = 0;
  while (room < total) {
    if (buffers_.size() <= count) buffers_.emplace_back();
    if (!queue.pop(buffers_[count])) {
      queue.unpop(count);
      return Delivery::kNoBuffers;
    }
    room += buffers_[count].writable_bytes;
    ++count;
    if (buffers_[0].writable_bytes < sizeof(Header)) {
      queue.fail("a network receive buffer has no room for the header");
      return Delivery::kTooBig;
    }
    if (room < total && !active_.has(kMergeReceive)) {
      queue.unpop(count);
      return Delivery::kTooBig;
    }
  }
  return Delivery::kDone;
}

// Writes header and frame into receive buffers (5.1.6.4). The caller finishes the queue, so that
// all buffers of a frame appear together.
Net::Delivery Net::deliver(packet::Offload offload, std::span<const u8> frame) {
  u16 count = 0;
  const Delivery taken = take_buffers(sizeof(Header) + frame.size(), count);
  if (taken != Delivery::kDone) return taken;
  if (!active_.has(kGuestChecksum)) offload.flags = 0;
  const Header header{.offload = offload, .buffers = count};
  u64 used = sizeof header;  // of the current buffer
  std::array<u8, sizeof header> header_bytes;
  std::memcpy(header_bytes.data(), &header, sizeof header);
  CHECK(buffers_[0].write(0, header_bytes));
  for (u16 i = 0; i < count; ++i) {
    const u64 piece = std::min<u64>(buffers_[i].writable_bytes - used, frame.size());
    CHECK(buffers_[i].write(used, frame.first(piece)));
    active_.queues[kReceiveQueue].push(buffers_[i], static_cast<u32>(used + piece));
    frame = frame.subspan(piece);
    used = 0;
  }
  return Delivery::kDone;
}

// As Activation::serve(), but that chains stay in the queue while the backend cannot take them.
void Net::transmit() {
  Queue& queue = active_.queues[kTransmitQueue];
  for (unsigned left = Activation::kServeBatch; left > 0; --left) {
    if (!backend_->can_send()) return;  // it will say when
    if (!queue.pop(chain_)) return active_.finish(kTransmitQueue);
    transmit_chain(chain_);
    queue.push(chain_, 0);
    active_.finish(kTransmitQueue);
  }
  active_.driver->notify_again(kTransmitQueue);
}

void Net::transmit_chain(const Chain& chain) {
  std::array<u8, sizeof(Header)> header_bytes;
  if (!chain.read(0, header_bytes)) {
    active_.queues[kTransmitQueue].fail("a frame to be sent has no header");
    return;
  }
  packet::Offload offload = std::bit_cast<Header>(header_bytes).offload;
  const u64 length = chain.readable_bytes - sizeof(Header);
  // Only a driver that breaks the rules asks for what was not agreed on.
  const bool segments = offload.gso_type != packet::Offload::kNoSegments;
  if (length == 0 || length > packet::kMaxFrame) return;
  if (segments && (!active_.has(kHostTso4) || offload.gso_type != packet::Offload::kTcp4)) return;
  offload.flags &= packet::Offload::kNeedsChecksum;
  if (offload.flags != 0 && !active_.has(kChecksum)) return;
  frame_.resize(length);
  if (!chain.read(sizeof(Header), frame_)) return;
  if (!backend_->takes_offloads() && !packet::finish_checksum(offload, frame_)) return;
  backend_->send(offload, frame_);
}

}  // namespace pileus::virtio
