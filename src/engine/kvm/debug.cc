#include "engine/kvm/debug.h"

#include <fmt/format.h>

#include <algorithm>

namespace pileus::engine::kvm {

namespace {

constexpr unsigned kRegisters = 4, kLongest = 8;
// KVM_GUESTDBG_BLOCKIRQ (Linux 5.16), which Debian 12's headers know and older ones do not.
constexpr u32 kBlockInterrupts = 0x00100000;
// Intel SDM vol. 3, 17.2.4.
constexpr u64 kDr7Fixed = 0x400;

using Kind = Breakpoint::Kind;

u64 condition_of(Kind kind) { return kind == Kind::kExecute ? 0 : kind == Kind::kWrite ? 1 : 3; }
u64 length_code(unsigned length) { return length == 8 ? 2 : length - 1; }

// An execution breakpoint is one byte; a watched range is cut where the alignment of its pieces wants it.
void cut(const Breakpoint& breakpoint, std::vector<DebugPiece>& pieces) {
  if (breakpoint.kind == Kind::kExecute) {
    pieces.push_back({breakpoint, breakpoint.address, 1});
    return;
  }
  u64 at = breakpoint.address;
  for (u64 left = breakpoint.length; left > 0 && pieces.size() <= kRegisters;) {
    unsigned length = kLongest;
    while (length > left || at % length != 0) length /= 2;
    pieces.push_back({breakpoint, at, length});
    at += length;
    left -= length;
  }
}

}  // namespace

Result<GuestDebug> GuestDebug::create(const DebugSettings& settings) {
  GuestDebug made;
  made.single_step_ = settings.single_step;
  for (const Breakpoint& breakpoint : settings.breakpoints) {
    if (breakpoint.kind == Kind::kRead) {
      return Error(ErrorCode::kUnsupported,
                   "the kvm engine cannot watch for reads alone: watch for accesses, or use --engine bt");
    }
    cut(breakpoint, made.pieces_);
    if (made.pieces_.size() > kRegisters) {
      return Error(ErrorCode::kUnsupported,
                   fmt::format("the kvm engine has {} breakpoints, each of up to {} bytes: use fewer, or --engine bt",
                               kRegisters, kLongest));
    }
  }
  return made;
}

kvm_guest_debug GuestDebug::request(u32 allowed) const {
  kvm_guest_debug request{};
  if (empty()) return request;
  request.control = KVM_GUESTDBG_ENABLE;
  if (single_step_) request.control |= KVM_GUESTDBG_SINGLESTEP | (kBlockInterrupts & allowed);
  if (pieces_.empty()) return request;
  request.control |= KVM_GUESTDBG_USE_HW_BP;
  request.arch.debugreg[7] = kDr7Fixed;
  for (unsigned i = 0; i < pieces_.size(); ++i) {
    request.arch.debugreg[i] = pieces_[i].address;
    const u64 what = condition_of(pieces_[i].breakpoint.kind) | length_code(pieces_[i].length) << 2;
    request.arch.debugreg[7] |= u64{1} << 2 * i | what << (16 + 4 * i);
  }
  return request;
}

DebugStop GuestDebug::stop(const kvm_debug_exit_arch& exit) const {
  for (unsigned i = 0; i < pieces_.size(); ++i) {
    if ((exit.dr6 >> i & 1) == 0) continue;
    DebugStop stop{DebugStop::Cause::kBreakpoint, pieces_[i].breakpoint};
    stop.breakpoint.address = pieces_[i].address;
    return stop;
  }
  return {DebugStop::Cause::kStep, {}};
}

}  // namespace pileus::engine::kvm
