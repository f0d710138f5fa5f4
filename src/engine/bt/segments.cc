#include "engine/bt/segments.h"

#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {
constexpr u64 kCr0Pe = 1;

u32 error_of(u16 selector) { return selector & 0xFFFCU; }

// SDM vol. 2, MOV: checks on a load of SS.
bool check_stack_segment(Context& context, u16 selector, u64 raw) {
  const u32 attributes = x86::descriptor_attributes(raw);
  const unsigned rpl = selector & 3U;
  if (rpl != context.cpl || !x86::is_writable_data(attributes) || x86::dpl(attributes) != context.cpl) {
    return context.raise(kVectorGp, error_of(selector));
  }
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorSs, error_of(selector));
  return true;
}

bool check_data_segment(Context& context, u16 selector, u64 raw) {
  const u32 attributes = x86::descriptor_attributes(raw);
  const bool code = x86::is_code(attributes);
  const bool readable =
      (attributes & x86::kCodeOrData) != 0 && (!code || (attributes & x86::kTypeReadableWritable) != 0);
  const bool conforming = code && (attributes & x86::kTypeConforming) != 0;
  const unsigned rpl = selector & 3U;
  const bool privileged = conforming || (rpl <= x86::dpl(attributes) && context.cpl <= x86::dpl(attributes));
  if (!readable || !privileged) return context.raise(kVectorGp, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  return true;
}

void mark_accessed(Context& context, u64 raw, u64 address) {
  const u64 accessed = u64{x86::kTypeAccessed} << 40;
  if ((raw & accessed) != 0) return;
  raw |= accessed;
  const Fault before = context.fault;
  if (!write_system(context, address, &raw, 8)) context.fault = before;  // a read-only table stays as it is
}
}  // namespace

bool is_real_mode(const Context& context) { return (context.cr0 & kCr0Pe) == 0; }

bool read_system(Context& context, u64 va, void* out, unsigned size) {
  return read_memory(context, va, out, size, kModeKernel);
}
bool write_system(Context& context, u64 va, const void* data, unsigned size) {
  return write_memory(context, va, data, size, kModeKernel);
}

bool read_descriptor(Context& context, u16 selector, u8 vector, u64* raw, u64* address) {
  const bool local = (selector & 4) != 0;
  const u64 base = local ? context.ldtr.base : context.gdtr.base;
  const u64 limit = local ? context.ldtr.limit : context.gdtr.limit;
  const u64 offset = selector & 0xFFF8U;
  if (offset + 7 > limit || (local && (context.ldtr.attributes & x86::kUnusable) != 0)) {
    return context.raise(vector, error_of(selector));
  }
  *address = base + offset;
  return read_system(context, *address, raw, 8);
}

Segment segment_of(u16 selector, u64 raw) {
  return {selector, x86::descriptor_attributes(raw), x86::descriptor_limit(raw), x86::descriptor_base(raw)};
}

Segment real_segment(u16 selector) {
  return {selector, x86::kPresentBit | x86::kCodeOrData | x86::kTypeReadableWritable | x86::kTypeAccessed, 0xFFFF,
          u64{selector} << 4};
}

Segment null_stack_segment(unsigned cpl) {
  return {static_cast<u16>(cpl), x86::kPresentBit | x86::kCodeOrData | x86::kTypeReadableWritable | cpl << 5,
          0xFFFFFFFF, 0};
}

bool is_within(const Segment& segment, u64 offset, unsigned size) {
  const u64 last = offset + size - 1;
  const bool expands_down = !x86::is_code(segment.attributes) && (segment.attributes & 4) != 0;
  if (!expands_down) return last <= segment.limit;
  const u64 top = (segment.attributes & x86::kDefaultBig) != 0 ? 0xFFFFFFFF : 0xFFFF;
  return offset > segment.limit && last <= top;
}

bool check_code_offset(Context& context, u64 raw, u64 offset) {
  if (context.long_mode() && (x86::descriptor_attributes(raw) & x86::kLongBit) != 0) {
    return static_cast<u64>(static_cast<i64>(offset << 16) >> 16) == offset || context.raise(kVectorGp, 0);
  }
  return (offset & 0xFFFFFFFF) <= x86::descriptor_limit(raw) || context.raise(kVectorGp, 0);
}

void set_code_segment(Context& context, u16 selector, u64 raw, unsigned cpl) {
  Segment segment = segment_of(static_cast<u16>((selector & 0xFFFCU) | cpl), raw);
  segment.attributes |= x86::kTypeAccessed;
  context.segment[kCs] = segment;
  context.cpl = static_cast<u8>(cpl);
  if (cpl == 3) context.entered_user();
}

bool load_segment(Context& context, SegmentIndex index, u16 selector) {
  if (is_real_mode(context)) {
    Segment& segment = context.segment[index];
    segment.selector = selector;
    segment.base = u64{selector} << 4;  // limit and attributes stay ("unreal mode")
    return true;
  }
  if ((selector & 0xFFFC) == 0) {
    if (index == kSs) {
      const bool null_is_fine = context.code64() && context.cpl != 3 && (selector & 3U) == context.cpl;
      if (!null_is_fine) return context.raise(kVectorGp, 0);
      context.segment[kSs] = null_stack_segment(context.cpl);
      context.segment[kSs].selector = selector;
      return true;
    }
    // As on Intel, loading a null selector clears the base.
    context.segment[index] = {selector, x86::kUnusable, 0, 0};
    return true;
  }
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return false;
  const bool fine =
      index == kSs ? check_stack_segment(context, selector, raw) : check_data_segment(context, selector, raw);
  if (!fine) return false;
  mark_accessed(context, raw, address);
  context.segment[index] = segment_of(selector, raw);
  return true;
}

bool load_ldt(Context& context, u16 selector) {
  if ((selector & 0xFFFC) == 0) {
    context.ldtr = {selector, x86::kUnusable, 0, 0};
    return true;
  }
  u64 raw = 0, address = 0, high = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  if ((attributes & (x86::kCodeOrData | x86::kTypeMask)) != x86::kTypeLdt)
    return context.raise(kVectorGp, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  if (context.long_mode() && !read_system(context, address + 8, &high, 8)) return false;
  context.ldtr = segment_of(selector, raw);
  context.ldtr.base |= high << 32;
  return true;
}

bool load_tr(Context& context, u16 selector) {
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorGp, 0);
  u64 raw = 0, address = 0, high = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  const u32 type = attributes & (x86::kCodeOrData | x86::kTypeMask);
  if (type != x86::kTypeTss32 && (type != x86::kTypeTss16 || context.long_mode())) {
    return context.raise(kVectorGp, error_of(selector));
  }
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorNp, error_of(selector));
  if (context.long_mode() && !read_system(context, address + 8, &high, 8)) return false;
  const u64 busy = raw | u64{2} << 40;
  if (!write_system(context, address, &busy, 8)) return false;
  context.tr = segment_of(selector, busy);
  context.tr.base |= high << 32;
  return true;
}

namespace {
// Descriptor for LAR, LSL, VERR, VERW: any reason not to see it is *ok = false.
bool probe_descriptor(Context& context, u16 selector, u32* attributes, u32* limit, bool* ok) {
  *ok = false;
  if ((selector & 0xFFFC) == 0) return true;
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorGp, &raw, &address)) return context.fault.vector != kVectorPf;
  *attributes = x86::descriptor_attributes(raw);
  *limit = x86::descriptor_limit(raw);
  const bool conforming = x86::is_code(*attributes) && (*attributes & x86::kTypeConforming) != 0;
  const unsigned rpl = selector & 3U;
  *ok = conforming || (rpl <= x86::dpl(*attributes) && context.cpl <= x86::dpl(*attributes));
  return true;
}
}  // namespace

bool load_access_rights(Context& context, u16 selector, u32* value, bool* ok) {
  u32 attributes = 0, limit = 0;
  if (!probe_descriptor(context, selector, &attributes, &limit, ok)) return false;
  const u32 type = attributes & x86::kTypeMask;
  if ((attributes & x86::kCodeOrData) == 0) {
    const bool known = type == 2 || type == 9 || type == 11 || type == 12 ||
                       (!context.long_mode() && (type == 1 || type == 3 || type == 4 || type == 5));
    *ok = *ok && known;
  }
  *value = (attributes & 0xFF) << 8 | (attributes & 0xF000) << 8;
  return true;
}

bool load_limit(Context& context, u16 selector, u32* value, bool* ok) {
  u32 attributes = 0;
  if (!probe_descriptor(context, selector, &attributes, value, ok)) return false;
  const u32 type = attributes & x86::kTypeMask;
  if ((attributes & x86::kCodeOrData) == 0) {
    *ok = *ok && (type == 2 || type == 9 || type == 11 || (!context.long_mode() && (type == 1 || type == 3)));
  }
  return true;
}

bool verify_segment(Context& context, u16 selector, bool write, bool* ok) {
  u32 attributes = 0, limit = 0;
  if (!probe_descriptor(context, selector, &attributes, &limit, ok)) return false;
  const bool code = x86::is_code(attributes);
  const bool bit = (attributes & x86::kTypeReadableWritable) != 0;
  *ok = *ok && (attributes & x86::kCodeOrData) != 0 && (write ? !code && bit : !code || bit);
  return true;
}

}  // namespace pileus::engine::bt
