#include "engine/bt/direct/pages.h"

#include <cpuid.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/bt/code_pages.h"
#include "engine/bt/page_walk.h"
#include "engine/bt/vm.h"
#include "engine/cpuid.h"

namespace pileus::engine::bt::direct {

namespace {

constexpr u64 kPageBytes = PageMap::kPageBytes, kOffset = kPageBytes - 1;
constexpr u64 kErrorWrite = 2, kErrorFetch = 16;
constexpr u64 kLowest = 65536;           // below, Linux lets nobody map
constexpr std::size_t kMaxPages = 24000;  // each may be a mapping of its own, of which a process may have 65530
constexpr std::size_t kBreakpoints = 4;   // of the processor

bool is_ours(u64 va) { return va >= kLowest && va < kUserEnd && (va < kRegion || va >= kRegion + kRegionBytes); }

// What the guest's page tables say of a page, found without setting A or D (Intel SDM vol. 3, 4.5).
struct Entry {
  u64 gpa = 0;
  bool writable = true, executable = true, dirty = false;
};

bool look_up(Context& context, u64 va, Entry* out) {
  constexpr u64 kPresent = 1, kWrite = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40, kLarge = 0x80;
  constexpr u64 kAddress = 0x000F'FFFF'FFFF'F000;
  u64 table = context.cr3 & kAddress;
  for (unsigned shift = 39;; shift -= 9) {
    const u8* slot = context.vm->memory().host(table + (va >> shift & 511) * 8, 8);
    if (slot == nullptr) return false;
    u64 entry = 0;
    std::memcpy(&entry, slot, sizeof entry);
    if ((entry & (kPresent | kUser | kAccessed)) != (kPresent | kUser | kAccessed)) return false;
    out->writable &= (entry & kWrite) != 0;
    out->executable &= (entry >> 63) == 0;
    if (shift != 12 && (shift == 39 || (entry & kLarge) == 0)) {
      table = entry & kAddress;
      continue;
    }
    const u64 within = (u64{1} << shift) - 1;
    out->dirty = (entry & kDirty) != 0;
    out->gpa = (entry & kAddress & ~within) | (va & within & ~kOffset);
    return true;
  }
}

u64 host_xcr0() {
  u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr u32 kOsXsave = 1U << 27;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsXsave) == 0) return 0;
  asm volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return u64{edx} << 32 | eax;
}

// Whether XSAVE and its kin, and XGETBV, do otherwise on the host's processor than on the guest's: they go by XCR0 and
// CR4.OSXSAVE. The guest's XRSTOR, where it is not run directly, would refuse what a host with more components saved. A
// kernel sets both before it runs user code.
bool has_other_components(const Context& context) {
  constexpr u64 kCr4OsXsave = 1U << 18;
  static const u64 host = host_xcr0();
  return host != ((context.cr4 & kCr4OsXsave) != 0 ? context.xcr0 : 0);
}

// XSAVE, XSAVEOPT (0F AE /4, /6) or XSAVEC (0F C7 /4) of memory, or XGETBV (0F 01 D0).
bool goes_by_xcr0(const u8* code, const u8* end) {
  if (end - code < 3) return false;
  const unsigned mod = code[2] >> 6, extension = code[2] >> 3 & 7;
  if (code[1] == 0x01) return code[2] == 0xD0;
  return mod != 3 && ((code[1] == 0xAE && (extension == 4 || extension == 6)) || (code[1] == 0xC7 && extension == 4));
}

// Where on a page there may be an instruction that would tell of the host and raise no exception there: CPUID (0F A2), and
// LSL (0F 03) as Linux's vDSO uses it, with selector 0x7B, whose limit is the number of the processor; or SYSENTER
// (0F 34), after which the host does not know where it was. With `components`, what goes by XCR0 too.
std::vector<u64> find_telltales(const u8* page, bool components) {
  constexpr std::array<u8, 4> kSelector{0x7B, 0, 0, 0};
  constexpr u64 kNear = 64;
  std::vector<u64> found;
  for (u64 at = 0; at + 1 < kPageBytes; ++at) {
    const auto* next = static_cast<const u8*>(std::memchr(page + at, 0x0F, kPageBytes - 1 - at));
    if (next == nullptr) break;
    at = static_cast<u64>(next - page);
    const u8 second = next[1];
    const u8* const before = page + (at < kNear ? 0 : at - kNear);
    const bool is_lsl = second == 0x03 && std::search(before, next, kSelector.begin(), kSelector.end()) != next;
    if ((second == 0xA2 && !is_cpuid_fault_supported()) || second == 0x34 || is_lsl ||
        (components && goes_by_xcr0(next, page + kPageBytes)))
      found.push_back(at);
  }
  return found;
}

// The translator sets the code bits, then asks for the mark; in this order neither misses the other.
bool may_write(Context& context, u64 gpa) {
  CodePages& pages = context.vm->pages();
  if (pages.has_code(gpa)) return false;
  pages.mark_writable(gpa);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return !pages.has_code(gpa);
}

}  // namespace

// Sets breakpoints where they are needed, and gives up other pages for them, the longest guarded first; false when there
// are not enough all the same.
bool Pages::guard(u64 va, const std::vector<u64>& telltales) {
  if (telltales.size() > kBreakpoints) return false;
  for (const u64 offset : telltales) {
    while (!worker_.set_breakpoint(va + offset)) {
      const bool others = !guarded_.empty() && guarded_.front() != va;
      drop(others ? guarded_.front() : va);
      if (!others) return false;
    }
    if (guarded_.empty() || guarded_.back() != va) guarded_.push_back(va);
  }
  return true;
}

// Takes a page away, but for the request to the worker to do so.
void Pages::forget(u64 va) {
  if (std::erase(guarded_, va) != 0) worker_.remove_breakpoints(va, va + kPageBytes);
}
void Pages::drop(u64 va) {
  forget(va);
  if (pages_.erase(va)) request({va, kPageBytes, 0, 0});
}

// Notes that `va` shall lead to `gpa`; false when it cannot. Breakpoints are only for what is `wanted` now.
bool Pages::add(Context& context, u64 va, u64 gpa, int protection, bool wanted) {
  const guest::GuestMemory& memory = context.vm->memory();
  const u8* host = memory.host(gpa, kPageBytes);
  if (host == nullptr) return false;
  if ((protection & PROT_WRITE) != 0 && !may_write(context, gpa)) return false;
  if ((protection & PROT_EXEC) != 0) {
    const std::vector<u64> telltales = find_telltales(host, has_other_components(context));
    if (!telltales.empty() && (!wanted || !guard(va, telltales))) return false;
  }
  pages_.set(va, {gpa, protection});
  request({va, kPageBytes, static_cast<u64>(protection), memory.file_offset(host)});
  return true;
}

// What lies around a missing page is likely to be wanted next. Only what the guest has touched already is taken, so that
// nothing changes for it.
void Pages::add_neighbours(Context& context, u64 va, bool executable) {
  const u64 first = va & ~(PageMap::kGroupBytes - 1);
  for (u64 at = first; at < first + PageMap::kGroupBytes; at += kPageBytes) {
    Entry entry;
    if (at == va || !is_ours(at) || pages_.find(at) || !look_up(context, at, &entry)) continue;
    int protection = PROT_READ;
    if (entry.writable && entry.dirty && !context.vm->pages().has_code(entry.gpa)) protection |= PROT_WRITE;
    if (executable && entry.executable) protection |= PROT_EXEC;
    add(context, at, entry.gpa, protection, false);
  }
}

// One with the last where that leads on.
void Pages::request(const MapRequest& next) {
  if (!requests_.empty()) {
    MapRequest& last = requests_.back();
    const bool leads_on = next.protection == 0 || last.offset + last.length == next.offset;
    if (last.address + last.length == next.address && last.protection == next.protection && leads_on) {
      last.length += next.length;
      return;
    }
  }
  requests_.push_back(next);
}

bool Pages::flush_requests() {
  std::span<const MapRequest> left = requests_;
  while (!left.empty()) {
    const std::size_t now = std::min(left.size(), kMaxRequests);
    if (!worker_.map(left.first(now))) return false;
    left = left.subspan(now);
  }
  requests_.clear();
  return true;
}

Pages::Fault Pages::handle_fault(Context& context, u64 address, u64 error) {
  const u64 va = address & ~kOffset;
  if (!is_ours(va)) return Fault::kGuest;
  const bool write = (error & kErrorWrite) != 0, fetch = (error & kErrorFetch) != 0;
  const Access access = write ? Access::kWrite : fetch ? Access::kExecute : Access::kRead;
  Walk walk;
  if (!walk_pages(context, va, access, kModeUser, &walk)) return Fault::kGuest;
  const u64 gpa = walk.gpa & ~kOffset;
  int protection = PROT_READ | (write ? PROT_WRITE : 0) | (fetch ? PROT_EXEC : 0);
  if (const PageMap::Page known = pages_.find(va); known && known.gpa == gpa) {
    if ((known.protection & protection) == protection) return Fault::kGuest;  // it should not have failed
    if (fetch) protection |= known.protection & PROT_WRITE;
    if (write) protection |= known.protection & PROT_EXEC;
  } else if (!write && walk.writable && walk.dirty && !context.vm->pages().has_code(gpa)) {
    protection |= PROT_WRITE;
  }
  if (pages_.size() >= kMaxPages) {
    pages_.clear();
    guarded_.clear();
    worker_.remove_breakpoints(0, kUserEnd);
    requests_ = {{0, kRegion, 0, 0}, {kRegion + kRegionBytes, kUserEnd - kRegion - kRegionBytes, 0, 0}};
  }
  if (!add(context, va, gpa, protection, true)) return flush_requests() ? Fault::kGuest : Fault::kLost;
  add_neighbours(context, va, fetch);
  return flush_requests() ? Fault::kMapped : Fault::kLost;
}

bool Pages::revalidate(Context& context) {
  bool alive = true;
  pages_.keep_if([&](u64 va, const PageMap::Page& page) {
    Entry entry;
    bool right = look_up(context, va, &entry) && entry.gpa == page.gpa;
    if (right && (page.protection & PROT_EXEC) != 0) right = entry.executable;
    // Marked again: the mark may have been taken since.
    if (right && (page.protection & PROT_WRITE) != 0)
      right = entry.writable && entry.dirty && may_write(context, page.gpa);
    if (right) return true;
    forget(va);
    // At times, so that what an address space leaves behind need not all be written down at once.
    if (alive && requests_.size() >= kMaxRequests) alive = flush_requests();
    request({va, kPageBytes, 0, 0});
    return false;
  });
  return alive && flush_requests();
}

}  // namespace pileus::engine::bt::direct
