#include "virtio/rng.h"

#include <sys/random.h>

#include <array>

namespace pileus::virtio {

namespace {
constexpr std::array<u16, 1> kQueueSizes = {64};
// Of one request; a guest that asks for more gets the rest from its next one.
constexpr u64 kMaxBytes = 64 * kKiB;

u32 fill(const Chain& chain) {
  u32 filled = 0;
  visit_range(chain.writable, 0, std::min(chain.writable_bytes, kMaxBytes), [&](std::span<u8> out) {
    while (!out.empty()) {
      const ssize_t count = ::getrandom(out.data(), out.size(), 0);
      if (count <= 0) return false;
      filled += static_cast<u32>(count);
      out = out.subspan(static_cast<std::size_t>(count));
    }
    return true;
  });
  return filled;
}
}  // namespace

std::span<const u16> Rng::queue_sizes() const { return kQueueSizes; }

void Rng::read_config(u32 offset, std::span<u8> out) const { copy_config({}, offset, out); }
void Rng::write_config(u32, std::span<const u8>) {}

void Rng::activate(Activation activation) { active_ = std::move(activation); }
void Rng::reset() { active_ = {}; }

void Rng::notify(u16 queue) {
  if (queue >= active_.queues.size()) return;
  active_.serve(queue, chain_, fill);
}

}  // namespace pileus::virtio
