#include "virtio/console.h"

#include <array>
#include <vector>

namespace pileus::virtio {

namespace {
constexpr u16 kReceiveQueue = 0;
constexpr u16 kTransmitQueue = 1;
constexpr std::array<u16, 2> kQueueSizes = {64, 64};
constexpr std::size_t kMaxInput = 64 * kKiB;  // typed ahead; more is lost
// No feature bit is offered, so the driver may use none of the fields (5.3.4).
constexpr std::array<u8, 12> kConfig = {};
}  // namespace

Console::Console(guest::CharBackend& backend, os::EventLoop& loop)
    : backend_(backend), self_(std::make_shared<Console*>(this)) {
  backend_.set_input([self = self_, &loop](std::span<const u8> data) {
    loop.post([self, bytes = std::vector<u8>(data.begin(), data.end())] {
      if (*self == nullptr) return;
      std::deque<u8>& input = (*self)->input_;
      const std::size_t room = kMaxInput - input.size();
      const auto count = static_cast<std::ptrdiff_t>(std::min(room, bytes.size()));
      input.insert(input.end(), bytes.begin(), bytes.begin() + count);
      (*self)->deliver_input();
    });
  });
}

Console::~Console() {
  backend_.set_input({});
  *self_ = nullptr;
}

std::span<const u16> Console::queue_sizes() const { return kQueueSizes; }

void Console::read_config(u32 offset, std::span<u8> out) const { copy_config(kConfig, offset, out); }
void Console::write_config(u32, std::span<const u8>) {}

void Console::activate(Activation activation) {
  active_ = std::move(activation);
  running_ = true;
  deliver_input();
}

void Console::reset() {
  active_ = {};
  running_ = false;
}

void Console::notify(u16 queue) {
  if (!running_) return;
  if (queue == kReceiveQueue) deliver_input();
  if (queue == kTransmitQueue) transmit();
}

void Console::transmit() {
  active_.serve(kTransmitQueue, chain_, [this](const Chain& chain) -> u32 {
    visit_range(chain.readable, 0, chain.readable_bytes, [&](std::span<u8> piece) {
      backend_.write(piece);
      return true;
    });
    return 0;
  });
}

void Console::deliver_input() {
  if (!running_) return;
  Queue& queue = active_.queues[kReceiveQueue];
  while (!input_.empty() && queue.pop(chain_)) {
    if (chain_.writable_bytes == 0) {
      queue.fail("a console receive buffer has no room");
      break;
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min<u64>(input_.size(), chain_.writable_bytes));
    const std::vector<u8> bytes(input_.begin(), input_.begin() + count);
    if (!chain_.write(0, bytes)) break;
    input_.erase(input_.begin(), input_.begin() + count);
    queue.push(chain_, static_cast<u32>(count));
  }
  active_.finish(kReceiveQueue);
}

}  // namespace pileus::virtio
