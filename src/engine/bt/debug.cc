#include "engine/bt/debug.h"

#include <algorithm>

#include "engine/bt/trace.h"

namespace pileus::engine::bt {

void Debug::set(const DebugSettings& settings) {
  settings_ = settings;
  breaks_.clear();
  watches_.clear();
  offsets_.reset();
  stopped_ = false;
  for (const Breakpoint& breakpoint : settings_.breakpoints) {
    if (breakpoint.kind == Breakpoint::Kind::kExecute) {
      breaks_.push_back(breakpoint.address);
      offsets_.set(breakpoint.address & kPageMask);
    } else if (breakpoint.length != 0) {
      watches_.push_back(breakpoint);
    }
  }
  std::sort(breaks_.begin(), breaks_.end());
}

void Debug::stop_for(const Breakpoint& breakpoint) {
  if (stopped_) return;
  stopped_ = true;
  stop_ = {DebugStop::Cause::kBreakpoint, breakpoint};
}

bool Debug::breaks_here() {
  const u64 linear = context_.code64() ? context_.rip : (context_.segment[kCs].base + context_.rip) & 0xFFFFFFFF;
  if (settings_.single_step || !std::binary_search(breaks_.begin(), breaks_.end(), linear)) return false;
  stop_for({Breakpoint::Kind::kExecute, linear, 1});
  return true;
}

void Debug::on_access(u64 va, unsigned size, Access access) {
  if (access == Access::kExecute) return;
  const auto other = access == Access::kWrite ? Breakpoint::Kind::kRead : Breakpoint::Kind::kWrite;
  for (const Breakpoint& watch : watches_) {
    if (watch.kind == other || va > watch.address + watch.length - 1 || va + size - 1 < watch.address) continue;
    stop_for({watch.kind, std::max(va, watch.address), 1});
    context_.request_exit();
    return;
  }
}

bool Debug::take_stop(DebugStop* stop) {
  if (!stopped_) return false;
  stopped_ = false;
  *stop = stop_;
  return true;
}

void Debug::stepped() {
  if (stopped_) return;
  stopped_ = true;
  stop_ = {};
}

void BreakFilter::want(u32 vcpu, const PageOffsets& offsets) {
  const std::lock_guard lock(mutex_);
  if (of_vcpu_.size() <= vcpu) of_vcpu_.resize(vcpu + 1);
  of_vcpu_[vcpu] = offsets;
  wanted_.reset();
  for (const PageOffsets& one : of_vcpu_) wanted_ |= one;
}

bool BreakFilter::is_stale() const {
  const std::lock_guard lock(mutex_);
  return (wanted_ & ~used_).any() || (wanted_.none() && used_.any());
}

void BreakFilter::renew() {
  const std::lock_guard lock(mutex_);
  used_ = wanted_;
  any_ = used_.any();
}

void break_trace(Trace& trace, const PageOffsets& offsets) {
  for (unsigned i = 0; i < trace.count; ++i) {
    TraceInsn& at = trace.at[i];
    if (!offsets.test(at.page_offset & kPageMask) || at.kind == Kind::kStraddle) continue;
    at.kind = falls_through(at.kind) ? Kind::kInterpret : Kind::kInterpretEnd;
    // Whoever looks at the registers here sees the flags as well.
    for (unsigned before = 0; before <= i; ++before) trace.at[before].flags_live = true;
    if (falls_through(at.kind)) continue;
    trace.count = i + 1;
    trace.end_offset = static_cast<u16>(at.page_offset + at.insn.info.length);
  }
}

}  // namespace pileus::engine::bt
