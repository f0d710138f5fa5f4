#include "guest/bus.h"

#include <cstdio>
#include <mutex>

#include "base/log.h"

namespace pileus::guest {

namespace {
// A guest that looks for devices makes some thousand such accesses.
constexpr u64 kManyUnclaimed = 100'000;

bool is_power_of_ten(u64 count) {
  while (count % 10 == 0) count /= 10;
  return count == 1;
}

u64 all_ones(unsigned size) { return size >= 8 ? ~u64{0} : (u64{1} << (size * 8)) - 1; }
}  // namespace

Result<> Bus::add(u64 base, u64 length, BusDevice* device) {
  const std::unique_lock lock(mutex_);
  const auto end = checked_add(base, length);
  const auto next = ranges_.lower_bound(base);
  const bool hits_next = next != ranges_.end() && end && next->first < *end;
  bool hits_previous = false;
  if (next != ranges_.begin()) {
    const auto previous = std::prev(next);
    hits_previous = base - previous->first < previous->second.length;
  }
  if (length == 0 || !end || hits_next || hits_previous) {
    char text[96];
    std::snprintf(text, sizeof text, "bus range %#llx + %#llx overlaps another device",
                  static_cast<unsigned long long>(base), static_cast<unsigned long long>(length));
    return Error(ErrorCode::kExists, text);
  }
  ranges_.emplace(base, Range{length, device});
  return {};
}

void Bus::remove(u64 base) {
  const std::unique_lock lock(mutex_);
  ranges_.erase(base);
}

void Bus::add_doorbell(u64 address, int event) {
  const std::unique_lock lock(mutex_);
  doorbells_[address] = event;
  if (watcher_ != nullptr) watcher_->on_doorbell_added(address, event);
}

void Bus::remove_doorbell(u64 address) {
  const std::unique_lock lock(mutex_);
  const auto found = doorbells_.find(address);
  if (found == doorbells_.end()) return;
  if (watcher_ != nullptr) watcher_->on_doorbell_removed(address, found->second);
  doorbells_.erase(found);
}

void Bus::watch_doorbells(DoorbellWatcher* watcher) {
  const std::unique_lock lock(mutex_);
  watcher_ = watcher;
  if (watcher == nullptr) return;
  for (const auto& [address, event] : doorbells_) watcher->on_doorbell_added(address, event);
}

void Bus::count_unclaimed(u64 address) {
  const u64 count = unclaimed_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (count < kManyUnclaimed || !is_power_of_ten(count)) return;
  log::warn("{}: the guest has tried addresses without a device {} times, {:#x} just now", name_, count, address);
}

const Bus::Range* Bus::find(u64 address, unsigned size, u64* offset) const {
  auto range = ranges_.upper_bound(address);
  if (range == ranges_.begin()) return nullptr;
  --range;
  *offset = address - range->first;
  if (*offset >= range->second.length || size > range->second.length - *offset) return nullptr;
  return &range->second;
}

BusDevice* Bus::device_at(u64 address, unsigned size, u64* offset) {
  {
    const std::shared_lock lock(mutex_);
    const Range* range = find(address, size, offset);
    if (range != nullptr) return range->device;
  }
  count_unclaimed(address);
  return nullptr;
}

bool Bus::read(u64 address, unsigned size, u64* value) {
  u64 offset = 0;
  BusDevice* device = device_at(address, size, &offset);
  *value = device == nullptr ? all_ones(size) : device->read(offset, size) & all_ones(size);
  return device != nullptr;
}

bool Bus::write(u64 address, unsigned size, u64 value) {
  u64 offset = 0;
  BusDevice* device = device_at(address, size, &offset);
  if (device != nullptr) device->write(offset, size, value & all_ones(size));
  return device != nullptr;
}

}  // namespace pileus::guest
