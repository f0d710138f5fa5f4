#include "engine/kvm/dirty_log.h"

#include <algorithm>
#include <bit>

#include "base/cast.h"

namespace pileus::engine::kvm {

namespace {

constexpr u32 kRingEntries = 4096;
// Since Linux 6.1 the capability under which rings follow the acquire and release order that we keep; before, the other.
constexpr unsigned long kRingCapabilities[] = {KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_DIRTY_LOG_RING};

Result<u32> enable_rings(int vm_fd, const Device& device) {
  for (const unsigned long capability : kRingCapabilities) {
    const int most = device.capability(capability);
    if (most <= 0) continue;
    const u32 entries = std::min(kRingEntries, std::bit_floor(static_cast<u32>(most) / u32{sizeof(kvm_dirty_gfn)}));
    kvm_enable_cap request{};
    request.cap = static_cast<u32>(capability);
    request.args[0] = entries * sizeof(kvm_dirty_gfn);
    TRY(call(vm_fd, KVM_ENABLE_CAP, &request, "KVM_CAP_DIRTY_LOG_RING"));
    return entries;
  }
  return Error(ErrorCode::kUnsupported, "this host's KVM has no dirty rings: use its bitmap");
}

}  // namespace

KvmDirtyLog::KvmDirtyLog(int vm_fd, guest::GuestMemory& memory, u32 ring_entries)
    : vm_fd_(vm_fd),
      memory_(memory),
      ring_entries_(ring_entries),
      by_devices_(std::make_unique<std::atomic<u64>[]>(words())),
      by_vcpus_(words()) {
  memory_.set_observer(this);
}

Result<std::unique_ptr<KvmDirtyLog>> KvmDirtyLog::create(int vm_fd, const Device& device, guest::GuestMemory& memory,
                                                         KvmDirtyMode mode) {
  u32 entries = 0;
  if (mode == KvmDirtyMode::kRings) entries = TRY(enable_rings(vm_fd, device));
  return std::unique_ptr<KvmDirtyLog>(new KvmDirtyLog(vm_fd, memory, entries));
}

Result<> KvmDirtyLog::add_vcpu(int vcpu_fd) {
  if (!has_rings()) return {};
  os::Mapping mapping =
      TRY(os::Mapping::file(vcpu_fd, KVM_DIRTY_LOG_PAGE_OFFSET * kPage, ring_entries_ * sizeof(kvm_dirty_gfn), true));
  const std::lock_guard lock(mutex_);
  rings_.push_back({std::move(mapping)});
  return {};
}

// Slot n is region n of RAM: Vm::add_memory().
u64 KvmDirtyLog::first_page(u32 slot) const { return memory_.file_offset(memory_.regions()[slot].host) / kPage; }

Result<> KvmDirtyLog::set_logging(bool on) {
  u32 slot = 0;
  for (const guest::GuestMemory::Region& region : memory_.regions()) {
    kvm_userspace_memory_region request{};
    request.slot = slot++;
    request.flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0;
    request.guest_phys_addr = region.base;
    request.memory_size = region.size;
    request.userspace_addr = reinterpret_cast<u64>(region.host);
    TRY(call(vm_fd_, KVM_SET_USER_MEMORY_REGION, &request, "KVM_SET_USER_MEMORY_REGION"));
  }
  return {};
}

Result<> KvmDirtyLog::start() {
  TRY(set_logging(true));
  PageBitmap earlier;
  active_ = true;
  return collect(&earlier);
}

Result<> KvmDirtyLog::stop() {
  active_ = false;
  return set_logging(false);
}

void KvmDirtyLog::mark(u32 slot, u64 page_of_slot) {
  const auto& regions = memory_.regions();
  if (slot >= regions.size() || page_of_slot >= regions[slot].size / kPage) return;
  const u64 page = first_page(slot) + page_of_slot;
  by_vcpus_[page / 64] |= u64{1} << (page % 64);
}

Result<> KvmDirtyLog::read_bitmaps() {
  const auto& regions = memory_.regions();
  for (u32 slot = 0; slot < regions.size(); ++slot) {
    const u64 pages = regions[slot].size / kPage;
    std::vector<u64> bits((pages + 63) / 64);
    kvm_dirty_log request{};
    request.slot = slot;
    request.dirty_bitmap = bits.data();
    TRY(call(vm_fd_, KVM_GET_DIRTY_LOG, &request, "KVM_GET_DIRTY_LOG"));
    for (u64 word = 0; word < bits.size(); ++word) {
      for (u64 left = bits[word]; left != 0; left &= left - 1) {
        mark(slot, word * 64 + static_cast<u64>(std::countr_zero(left)));
      }
    }
  }
  return {};
}

// An entry's flags say whose it is: dirty, ours to read; with reset set, KVM's to protect the page anew.
bool KvmDirtyLog::read_ring(Ring& ring) {
  auto* entries = cast_aligned<kvm_dirty_gfn>(ring.mapping.data());
  for (u32 taken = 0; taken < ring_entries_; ++taken, ++ring.next) {
    kvm_dirty_gfn& entry = entries[ring.next % ring_entries_];
    if ((__atomic_load_n(&entry.flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY) == 0) return true;
    mark(entry.slot, entry.offset);
    __atomic_store_n(&entry.flags, u32{KVM_DIRTY_GFN_F_RESET}, __ATOMIC_RELEASE);
  }
  return false;
}

// After one ran over, KVM's place in it is not known any more.
Result<> KvmDirtyLog::read_rings() {
  if (ran_over_) return {};
  for (Ring& ring : rings_) ran_over_ |= !read_ring(ring);
  if (ran_over_) return set_logging(false);
  TRY(call(vm_fd_, KVM_RESET_DIRTY_RINGS, 0, "KVM_RESET_DIRTY_RINGS"));
  return {};
}

Result<> KvmDirtyLog::empty_rings() {
  const std::lock_guard lock(mutex_);
  TRY(read_rings());
  if (!ran_over_) return {};
  // So that vCPUs may enter the guest again, all that is in the rings goes back to KVM, unread.
  for (Ring& ring : rings_) {
    auto* entries = cast_aligned<kvm_dirty_gfn>(ring.mapping.data());
    for (u32 i = 0; i < ring_entries_; ++i) {
      if ((__atomic_load_n(&entries[i].flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY) == 0) continue;
      __atomic_store_n(&entries[i].flags, u32{KVM_DIRTY_GFN_F_RESET}, __ATOMIC_RELEASE);
    }
  }
  TRY(call(vm_fd_, KVM_RESET_DIRTY_RINGS, 0, "KVM_RESET_DIRTY_RINGS"));
  return {};
}

Result<> KvmDirtyLog::collect(PageBitmap* pages) {
  if (!active_) return Error(ErrorCode::kInvalid, "written pages are not logged: start the log first");
  const std::lock_guard lock(mutex_);
  if (has_rings()) TRY(read_rings());
  else TRY(read_bitmaps());
  if (ran_over_) {
    return Error(ErrorCode::kIo, "this host's KVM has lost track of the pages that the guest wrote: use its bitmap");
  }
  pages->resize(words());
  for (u64 word = 0; word < words(); ++word) {
    (*pages)[word] |= std::exchange(by_vcpus_[word], 0) | by_devices_[word].exchange(0, std::memory_order_acquire);
  }
  return {};
}

void KvmDirtyLog::on_device_write(guest::Gpa address, u64 length) {
  if (!active_.load(std::memory_order_relaxed) || length == 0) return;
  const u8* host = memory_.host(address, length);
  if (host == nullptr) return;
  const u64 first = memory_.file_offset(host) / kPage, last = (memory_.file_offset(host) + length - 1) / kPage;
  for (u64 page = first; page <= last; ++page) {
    by_devices_[page / 64].fetch_or(u64{1} << (page % 64), std::memory_order_release);
  }
}

}  // namespace pileus::engine::kvm
