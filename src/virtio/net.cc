#include "virtio/net.h"

#include <bit>
#include <cstring>

#include "base/result.h"

namespace pileus::virtio {

namespace {

constexpr u16 kReceiveQueue = 0;
constexpr u16 kTransmitQueue = 1;
constexpr std::array<u16, 2> kQueueSizes = {256, 256};
constexpr std::size_t kMaxWaiting = 256;  // frames
constexpr u64 kMaxFrame = 64 * kKiB;

// Feature bits (5.1.3).
constexpr u64 kChecksum = u64{1} << 0;
constexpr u64 kGuestChecksum = u64{1} << 1;
constexpr u64 kMtu = u64{1} << 3;
constexpr u64 kMac = u64{1} << 5;
constexpr u64 kMergeReceive = u64{1} << 15;
constexpr u64 kStatus = u64{1} << 16;

constexpr u16 kLinkUp = 1;

// 5.1.6.
constexpr u8 kNeedsChecksum = 1;
constexpr u8 kDataValid = 2;
struct Header {
  u8 flags;
  u8 gso_type;
  u16 header_length;
  u16 gso_size;
  u16 checksum_start;
  u16 checksum_offset;
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

// The Internet checksum (RFC 1071) of `bytes`, with the pseudo-header's sum already in place.
u16 internet_checksum(std::span<const u8> bytes) {
  u64 sum = 0;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += u32{bytes[i]} << 8 | bytes[i + 1];
  if (i < bytes.size()) sum += u32{bytes[i]} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  const auto result = static_cast<u16>(~sum);
  return result == 0 ? u16{0xFFFF} : result;  // UDP gives zero the meaning "none"
}

// False when the driver's offsets leave the frame.
bool complete_checksum(const Header& header, std::span<u8> frame) {
  const u64 at = u64{header.checksum_start} + header.checksum_offset;
  if (at + 2 > frame.size()) return false;
  const u16 sum = internet_checksum(frame.subspan(header.checksum_start));
  frame[at] = static_cast<u8>(sum >> 8);
  frame[at + 1] = static_cast<u8>(sum);
  return true;
}

}  // namespace

Net::Net(std::unique_ptr<NetBackend> backend, const MacAddress& mac, u16 mtu)
    : backend_(std::move(backend)), mac_(mac), mtu_(mtu) {}

Net::~Net() { backend_->set_receiver({}); }

u64 Net::features() const { return kChecksum | kGuestChecksum | kMtu | kMac | kMergeReceive | kStatus; }

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
  backend_->set_receiver([this](std::span<const u8> frame) { receive(frame); });
}

void Net::reset() {
  backend_->set_receiver({});
  active_ = {};
  running_ = false;
  waiting_.clear();
}

void Net::notify(u16 queue) {
  if (!running_) return;
  if (queue == kReceiveQueue) deliver_waiting();
  if (queue == kTransmitQueue) transmit();
}

void Net::receive(std::span<const u8> frame) {
  if (!running_) return;
  // A frame must not overtake those that wait.
  const Delivery delivery = waiting_.empty() ? deliver(frame) : Delivery::kNoBuffers;
  active_.finish(kReceiveQueue);
  if (delivery == Delivery::kDone) return;
  if (delivery == Delivery::kTooBig || waiting_.size() >= kMaxWaiting || frame.size() > kMaxFrame) {
    ++dropped_;
    return;
  }
  waiting_.emplace_back(frame.begin(), frame.end());
}

void Net::deliver_waiting() {
  while (!waiting_.empty()) {
    const Delivery delivery = deliver(waiting_.front());
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
Net::Delivery Net::deliver(std::span<const u8> frame) {
  u16 count = 0;
  const Delivery taken = take_buffers(sizeof(Header) + frame.size(), count);
  if (taken != Delivery::kDone) return taken;
  Header header{};
  header.buffers = count;
  if (backend_->checksums_verified() && active_.has(kGuestChecksum)) header.flags = kDataValid;
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

void Net::transmit() {
  active_.serve(kTransmitQueue, chain_, [this](const Chain& chain) -> u32 {
    transmit_chain(chain);
    return 0;
  });
}

void Net::transmit_chain(const Chain& chain) {
  std::array<u8, sizeof(Header)> header_bytes;
  if (!chain.read(0, header_bytes)) {
    active_.queues[kTransmitQueue].fail("a frame to be sent has no header");
    return;
  }
  const auto header = std::bit_cast<Header>(header_bytes);
  const u64 length = chain.readable_bytes - sizeof header;
  // Segmentation offload is not offered, so only a driver that breaks the rules asks for it.
  if (length == 0 || length > kMaxFrame || header.gso_type != 0) return;
  frame_.resize(length);
  if (!chain.read(sizeof header, frame_)) return;
  const bool unfinished = (header.flags & kNeedsChecksum) != 0;
  if (unfinished && (!active_.has(kChecksum) || !complete_checksum(header, frame_))) return;
  backend_->send(frame_);
}

}  // namespace pileus::virtio
