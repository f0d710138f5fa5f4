#include "engine/bt/task_state.h"

#include "engine/bt/events.h"
#include "engine/bt/segments.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {
constexpr u32 kTssWide = 8;  // of the type: a 32-bit TSS

u32 error_of(u16 selector) { return selector & 0xFFFCU; }

bool wrong_tss(Context& context) { return context.raise(kVectorTs, error_of(context.tr.selector)); }
}  // namespace

bool read_inner_stack(Context& context, unsigned cpl, InnerStack* out) {
  const unsigned bytes = (context.tr.attributes & kTssWide) != 0 ? 4 : 2;
  const u64 offset = bytes + u64{2} * bytes * cpl;
  if (offset + bytes + 1 > context.tr.limit) return wrong_tss(context);
  u16 selector = 0;
  out->pointer = 0;
  if (!read_system(context, context.tr.base + offset, &out->pointer, bytes)) return false;
  if (!read_system(context, context.tr.base + offset + bytes, &selector, 2)) return false;
  if ((selector & 0xFFFC) == 0) return context.raise(kVectorTs, 0);
  u64 raw = 0, address = 0;
  if (!read_descriptor(context, selector, kVectorTs, &raw, &address)) return false;
  const u32 attributes = x86::descriptor_attributes(raw);
  const bool fits = (selector & 3U) == cpl && x86::dpl(attributes) == cpl && x86::is_writable_data(attributes);
  if (!fits) return context.raise(kVectorTs, error_of(selector));
  if ((attributes & x86::kPresentBit) == 0) return context.raise(kVectorSs, error_of(selector));
  out->segment = segment_of(selector, raw);
  return true;
}

bool read_inner_stack_long(Context& context, unsigned cpl, unsigned ist, u64* pointer) {
  const u64 offset = ist != 0 ? 28 + 8 * ist : 4 + 8 * cpl;
  if (offset + 7 > context.tr.limit) return wrong_tss(context);
  return read_system(context, context.tr.base + offset, pointer, 8);
}

}  // namespace pileus::engine::bt
