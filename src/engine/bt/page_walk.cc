#include "engine/bt/page_walk.h"

#include "engine/bt/events.h"
#include "engine/bt/vm.h"
#include "guest/memory.h"

namespace pileus::engine::bt {

namespace {

// Page-table entry bits, and error-code bits of #PF (SDM vol. 3, 4.5 and 4.7).
constexpr u64 kPresent = 1, kWrite = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40, kLarge = 0x80, kGlobal = 0x100;
constexpr u64 kNoExecute = u64{1} << 63;
constexpr u32 kErrorPresent = 1, kErrorWrite = 2, kErrorUser = 4, kErrorReserved = 8, kErrorFetch = 16;
constexpr u64 kCr0Wp = 1U << 16, kCr0Pg = u64{1} << 31;
constexpr u64 kCr4Pse = 1U << 4, kCr4Pae = 1U << 5, kCr4Pge = 1U << 7, kCr4Smep = 1U << 20, kCr4Smap = 1U << 21;
constexpr u64 kEferNxe = 1U << 11;
constexpr unsigned kPhysicalBits = 46;  // as CPUID leaf 0x80000008 says
constexpr u64 kAddressMask = ((u64{1} << kPhysicalBits) - 1) & ~u64{4095};
constexpr u64 kReservedPae = u64{0x7FF} << 52;  // bits that 4-level paging leaves to software
constexpr u32 kReservedLarge32 = 1U << 21;       // of a 4 MiB page, whose address goes up to bit 39
constexpr u64 kReservedAddress = ((u64{1} << 52) - 1) & ~((u64{1} << kPhysicalBits) - 1);

class Walker {
 public:
  Walker(Context& context, u64 va, Access access, Mode mode)
      : context_(context), va_(va), access_(access), mode_(mode), nxe_((context.efer & kEferNxe) != 0) {}

  bool walk(Walk* out) {
    if ((context_.cr0 & kCr0Pg) == 0) {
      out->gpa = va_ & 0xFFFFFFFF;
      return true;
    }
    if (context_.long_mode()) {
      if (static_cast<u64>(static_cast<i64>(va_ << 16) >> 16) != va_) return context_.raise(kVectorGp, 0);
      return levels64(context_.cr3 & kAddressMask, 4, out);
    }
    va_ &= 0xFFFFFFFF;
    if ((context_.cr4 & kCr4Pae) != 0) return pae(out);
    return legacy(out);
  }

 private:
  bool fault(u32 reason) {
    u32 error = reason;
    if (access_ == Access::kWrite) error |= kErrorWrite;
    if (mode_ == kModeUser) error |= kErrorUser;
    const bool fetch_reported = has_nx() || (context_.cr4 & kCr4Smep) != 0;
    if (access_ == Access::kExecute && fetch_reported) error |= kErrorFetch;
    context_.fault = {kVectorPf, true, error, va_};
    return false;
  }

  template <typename Entry>
  Entry* entry_at(u64 gpa) {
    void* host = context_.vm->memory().host(gpa, sizeof(Entry));
    return static_cast<Entry*>(host);
  }

  // 4-level and, from level 2, PAE tables.
  bool levels64(u64 table, unsigned level, Walk* out) {
    bool no_execute = false;
    for (;; --level) {
      const unsigned shift = 12 + 9 * (level - 1);
      u64* slot = entry_at<u64>(table + ((va_ >> shift) & 511) * 8);
      if (slot == nullptr) return fault(0);
      u64 entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
      if ((entry & kPresent) == 0) return fault(0);
      const bool leaf = level == 1 || (entry & kLarge) != 0;
      u64 reserved = kReservedAddress | (nxe_ ? 0 : kNoExecute);
      if (!context_.long_mode()) reserved |= kReservedPae;
      if (level == 4) reserved |= kLarge;
      if (leaf && level > 1) reserved |= (u64{1} << shift) - (u64{1} << 13);
      if ((entry & reserved) != 0) return fault(kErrorPresent | kErrorReserved);
      out->user &= (entry & kUser) != 0;
      out->writable &= (entry & kWrite) != 0;
      no_execute |= (entry & kNoExecute) != 0;
      if (!leaf) {
        if (!set_bits(slot, entry, kAccessed)) return restart(out);
        table = entry & kAddressMask;
        continue;
      }
      if (!allowed(*out, no_execute)) return fault(kErrorPresent);
      if (!mark(slot, entry, out)) return restart(out);
      const u64 offset_mask = (u64{1} << shift) - 1;
      out->page_bits = shift;
      out->gpa = (entry & kAddressMask & ~offset_mask) | (va_ & offset_mask);
      return true;
    }
  }

  bool pae(Walk* out) {
    const u64* pointer = entry_at<u64>((context_.cr3 & 0xFFFFFFE0) + ((va_ >> 30) & 3) * 8);
    if (pointer == nullptr || (*pointer & kPresent) == 0) return fault(0);
    return levels64(*pointer & kAddressMask, 2, out);
  }

  // 32-bit tables; PSE-36 large pages (SDM vol. 3, 4.3).
  bool legacy(Walk* out) {
    u32* directory = entry_at<u32>((context_.cr3 & 0xFFFFF000) + (va_ >> 22) * 4);
    if (directory == nullptr) return fault(0);
    const u32 top = __atomic_load_n(directory, __ATOMIC_RELAXED);
    if ((top & kPresent) == 0) return fault(0);
    out->user = (top & kUser) != 0;
    out->writable = (top & kWrite) != 0;
    if ((top & kLarge) != 0 && (context_.cr4 & kCr4Pse) != 0) {
      if ((top & kReservedLarge32) != 0) return fault(kErrorPresent | kErrorReserved);
      if (!allowed(*out, false)) return fault(kErrorPresent);
      if (!mark(directory, top, out)) return restart(out);
      out->page_bits = 22;
      out->gpa = (top & 0xFFC00000) | u64{top >> 13 & 0xFF} << 32 | (va_ & 0x3FFFFF);
      return true;
    }
    if (!set_bits(directory, top, static_cast<u32>(kAccessed))) return restart(out);
    u32* slot = entry_at<u32>((top & 0xFFFFF000) + ((va_ >> 12) & 1023) * 4);
    if (slot == nullptr) return fault(0);
    const u32 entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
    if ((entry & kPresent) == 0) return fault(0);
    out->user &= (entry & kUser) != 0;
    out->writable &= (entry & kWrite) != 0;
    if (!allowed(*out, false)) return fault(kErrorPresent);
    if (!mark(slot, entry, out)) return restart(out);
    out->gpa = (entry & 0xFFFFF000) | (va_ & 4095);
    return true;
  }

  // 32-bit paging has no bit for it.
  bool has_nx() const { return nxe_ && (context_.cr4 & kCr4Pae) != 0; }

  // SDM vol. 3, 4.6.1.
  bool allowed(const Walk& page, bool no_execute) const {
    if (mode_ == kModeUser) {
      if (!page.user) return false;
      if (access_ == Access::kWrite) return page.writable;
      return access_ == Access::kRead || !(nxe_ && no_execute);
    }
    if (access_ == Access::kExecute) {
      if (page.user && (context_.cr4 & kCr4Smep) != 0) return false;
      return !(nxe_ && no_execute);
    }
    if (page.user && mode_ == kModeKernel && (context_.cr4 & kCr4Smap) != 0) return false;
    return access_ == Access::kRead || page.writable || (context_.cr0 & kCr0Wp) == 0;
  }

  // Another vCPU may change the entry at any time, and must never find bits set in what it wrote since: false when the
  // entry is not `entry` any more.
  template <typename Entry>
  static bool set_bits(Entry* slot, Entry entry, Entry bits) {
    if ((entry & bits) == bits) return true;
    return __atomic_compare_exchange_n(slot, &entry, static_cast<Entry>(entry | bits), false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
  }

  bool restart(Walk* out) {
    *out = Walk{};
    return walk(out);
  }

  template <typename Entry>
  bool mark(Entry* slot, Entry entry, Walk* out) {
    const Entry wanted = access_ == Access::kWrite ? kAccessed | kDirty : kAccessed;
    out->dirty = ((entry | wanted) & kDirty) != 0;
    out->global = (entry & kGlobal) != 0 && (context_.cr4 & kCr4Pge) != 0;
    return set_bits(slot, entry, wanted);
  }

  Context& context_;
  u64 va_;
  Access access_;
  Mode mode_;
  bool nxe_;
};

}  // namespace

bool walk_pages(Context& context, u64 va, Access access, Mode mode, Walk* out) {
  return Walker(context, va, access, mode).walk(out);
}

}  // namespace pileus::engine::bt
