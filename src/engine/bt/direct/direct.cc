#include "engine/bt/direct/direct.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "base/log.h"
#include "engine/bt/events.h"
#include "engine/bt/mmu.h"
#include "engine/bt/runtime.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt::direct {

namespace {

constexpr u64 kLookNs = 1'000'000;       // code that was in user mode for so long stays there, we guess
constexpr u64 kWorthNs = 250'000;        // from one disturbance to the next, their cost included
constexpr u64 kFirstWorthNs = kLookNs;
constexpr std::size_t kMaxSpaces = 8;
constexpr unsigned kLooksForSpace = 3;
constexpr u16 kUserCode = 0x33, kUserCode32 = 0x23, kUserStack = 0x2B;  // Linux's selectors, which code can read
constexpr u32 kUserCode32Attributes = 0xC0FB;
constexpr u64 kTrapFlag = 1U << 8;
constexpr u64 kSingleStep = 1U << 14;  // DR6.BS
constexpr u8 kInt3 = 0xCC, kInt1 = 0xF1;
constexpr u64 kUserFlags = 0x244DD5;  // what a process may set: CF PF AF ZF SF TF DF OF AC ID, and NT
constexpr u32 kMxcsrMask = 0xFFFF;
constexpr u64 kUpperHalf = u64{1} << 63;

constexpr std::size_t kMxcsr = 24, kX87 = 32, kXmm = 160, kFxBytes = 416, kXstateHeader = 512,
                      kYmmUpper = 576;  // in an XSAVE image
constexpr u64 kXstateX87Sse = 3, kXstateAvx = 4;

constexpr std::array<int, 16> kGregs{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                     REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

u64 now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

u64 root_of(const Context& context) { return context.cr3 & 0x000F'FFFF'FFFF'F000; }

bool is_null(const Segment& segment) { return (segment.selector & 0xFFFC) == 0; }

}  // namespace

Direct::Direct(Context& context)
    : context_(context),
      enabled_(context.vm->config().direct != DirectMode::kOff && is_supported()),
      always_(context.vm->config().direct == DirectMode::kAlways) {}

bool Direct::is_possible() const {
  const Context& c = context_;
  const bool plain_segments = c.segment[kCs].selector == kUserCode && c.segment[kSs].selector == kUserStack &&
                              is_null(c.segment[kDs]) && is_null(c.segment[kEs]) && is_null(c.segment[kFs]) &&
                              is_null(c.segment[kGs]);
  return c.cpl == 3 && c.if_flag != 0 && (plain_segments || always_) && is_translatable(c) &&
         (usable_now(c) & kUsableSse) != 0 && (c.cr0 >> 31) != 0 && (c.rip & kUpperHalf) == 0;
}

void Direct::look(u64 now) {
  if (!enabled_ || always_ || now < looked_ns_ + kLookNs || context_.cpl != 3) return;
  const bool stayed = context_.user_entries <= looked_at_entry_ + 1;  // one is from the interrupt of the last time
  looked_at_entry_ = context_.user_entries;
  looked_ns_ = now;
  if (stayed && has_earned_space()) context_.direct_cr3 = context_.cr3;
}

bool Direct::wants() {
  if (!enabled_) return false;
  if (always_) return is_possible();
  return context_.direct_cr3 == context_.cr3 && stopped_at_entry_ != context_.user_entries && is_possible();
}

// A worker costs some milliseconds. So it is for an address space that has used as many.
bool Direct::has_earned_space() {
  const u64 root = root_of(context_);
  for (const Space& space : spaces_) {
    if (space.root == root) return true;
  }
  for (Candidate& candidate : candidates_) {
    if (candidate.root == root) return ++candidate.looks >= kLooksForSpace;
  }
  candidates_[next_candidate_++ % candidates_.size()] = {root, 1};
  return false;
}

void Direct::kick() const {
  if (running_ != nullptr) running_->kick();
}

// That of CR3's tables, made now if need be; nullptr, and never again, when the host does not let us.
Direct::Space* Direct::space() {
  for (auto at = spaces_.begin(); at != spaces_.end(); ++at) {
    if (at->root != root_of(context_)) continue;
    spaces_.splice(spaces_.begin(), spaces_, at);
    return &spaces_.front();
  }
  Result<std::unique_ptr<Worker>> worker = Worker::start(context_.vm->memory().fd());
  if (!worker) {
    log::warn("no direct execution: {}", worker.error().message());
    enabled_ = false;
    return nullptr;
  }
  if (spaces_.size() == kMaxSpaces) spaces_.pop_back();
  ++context_.stats.direct_spaces;
  spaces_.emplace_front(root_of(context_), std::move(*worker));
  spaces_.front().worth_ns = kFirstWorthNs;
  return &spaces_.front();
}

bool Direct::has_avx() const { return context_.vm->cpu().features.has(FeatureWord::k1Ecx, 28); }

void Direct::load(Space& space) {
  const Context& c = context_;
  auto& registers = space.worker->frame().uc_mcontext.gregs;
  for (std::size_t i = 0; i < kGregs.size(); ++i) registers[kGregs[i]] = static_cast<greg_t>(c.gpr[i]);
  registers[REG_RIP] = static_cast<greg_t>(c.rip);
  // The worker may have left its last run in a 32-bit code segment.
  registers[REG_CSGSFS] = (registers[REG_CSGSFS] & ~greg_t{0xFFFF}) | kUserCode;
  registers[REG_EFL] = static_cast<greg_t>((c.flags() & kUserFlags) | 0x202);
  u8* image = space.worker->xsave_image();
  std::memcpy(image, c.fx.data(), kXmm);
  std::memcpy(image + kMxcsr, &c.mxcsr, 4);
  for (std::size_t i = 0; i < 16; ++i) std::memcpy(image + kXmm + 16 * i, c.vector[i].data(), 16);
  u64 components = kXstateX87Sse;
  if (has_avx()) {
    components |= kXstateAvx;
    for (std::size_t i = 0; i < 16; ++i) std::memcpy(image + kYmmUpper + 16 * i, c.vector[i].data() + 16, 16);
  }
  std::memcpy(image + kXstateHeader, &components, 8);
}

void Direct::save(Space& space) {
  Context& c = context_;
  const auto& registers = space.worker->frame().uc_mcontext.gregs;
  for (std::size_t i = 0; i < kGregs.size(); ++i) c.gpr[i] = static_cast<u64>(registers[kGregs[i]]);
  c.rip = static_cast<u64>(registers[REG_RIP]);
  const u64 kept = c.flags() & ~kUserFlags;
  c.set_flags(kept | (static_cast<u64>(registers[REG_EFL]) & kUserFlags));
  const u8* image = space.worker->xsave_image();
  std::memcpy(c.fx.data(), image, kFxBytes);
  std::memcpy(&c.mxcsr, image + kMxcsr, 4);
  c.mxcsr &= kMxcsrMask;
  std::memset(c.fx.data() + kMxcsr, 0, 8);
  for (std::size_t i = 0; i < 16; ++i) {
    std::memcpy(c.vector[i].data(), image + kXmm + 16 * i, 16);
  }
  u64 components = 0;
  std::memcpy(&components, image + kXstateHeader, 8);
  if (has_avx()) {
    const bool used = (components & kXstateAvx) != 0;
    for (std::size_t i = 0; i < 16; ++i) {
      if (used) std::memcpy(c.vector[i].data() + 16, image + kYmmUpper + 16 * i, 16);
      else std::memset(c.vector[i].data() + 16, 0, 16);
    }
  }
  c.segment[kFs].base = space.worker->fs_base();
  c.segment[kGs].base = space.worker->gs_base();
  const auto selector = static_cast<u16>(registers[REG_CSGSFS]);
  if (selector == kUserCode32) c.segment[kCs] = {kUserCode32, kUserCode32Attributes, 0xFFFFFFFF, 0};
}

u8 Direct::byte_at(u64 va) {
  u8 byte = 0;
  read_memory(context_, va, &byte, 1, kModeUser);
  return byte;
}

// The state is what the host saved; where that is behind the instruction, back to it.
void Direct::step_back(Stop stop) {
  Context& c = context_;
  if (stop == Stop::kSystemCall && (c.rip & kUpperHalf) == 0)
    c.rip -= 2;  // SYSCALL, INT 0x80; not in the vsyscall page
  if (stop != Stop::kTrap) return;
  const auto trap = static_cast<u64>(c.trap_number);
  if (trap == kVectorBp) {
    c.rip -= byte_at(c.rip - 1) == kInt3 ? 1U : 2U;
  } else if ((c.rflags & kTrapFlag) != 0) {  // the step that POPF asked for is done
    c.dr[6] |= kSingleStep;
    c.fault = {kVectorDb, false, 0, 0};
    deliver_fault(c);
  } else if (byte_at(c.rip) != kInt1) {  // which under some hypervisors is where it stops
    c.rip -= 1;
  }
}

// After the worker stopped: true when it shall go on, else the state in the Context is that before the instruction that
// stopped it.
bool Direct::go_on(Space& space, bool* lost) {
  Context& c = context_;
  const auto& registers = space.worker->frame().uc_mcontext.gregs;
  const Stop stop = space.worker->stop();
  c.trap_number = static_cast<u32>(registers[REG_TRAPNO]);
  bool again = stop == Stop::kKick;  // not kBreakpoint: CPUID is for the translator
  if (stop == Stop::kFault && c.trap_number == kVectorPf) {
    ++c.stats.direct_faults;
    const auto address = static_cast<u64>(registers[REG_CR2]), error = static_cast<u64>(registers[REG_ERR]);
    const Pages::Fault fault = space.pages.handle_fault(c, address, error);
    *lost = fault == Pages::Fault::kLost;
    again = fault == Pages::Fault::kMapped;
  }
  if (again && c.exit_request.load() == 0) return true;
  if (*lost) return false;
  save(space);
  step_back(stop);
  return false;
}

void Direct::run() {
  Context& c = context_;
  if (const auto thread = static_cast<int>(::syscall(SYS_gettid)); thread != thread_) {
    spaces_.clear();
    thread_ = thread;
  }
  Space* const at = space();
  if (at == nullptr) return;
  if (!at->worker->is_alive()) {  // the host may end any process
    spaces_.pop_front();
    return;
  }
  ++c.stats.direct_runs;
  c.direct_cr3 = kNoSpace;
  load(*at);
  u64 fs_base = c.segment[kFs].base, gs_base = c.segment[kGs].base;
  const u64 begin = now_ns();
  u64 parts = 0;
  bool lost = false;
  running_ = at->worker.get();
  c.direct_thread.store(thread_);  // from here on, who requests an exit signals this thread
  bool again = c.exit_request.load() == 0;
  for (; again && !lost; ++parts) {
    if (at->flushes != c.tlb_flushes || at->cr3 != c.cr3) {
      lost = !at->pages.revalidate(c);
      at->flushes = c.tlb_flushes;
      at->cr3 = c.cr3;
      if (lost) break;
    }
    lost = !at->worker->run(c, fs_base, gs_base);
    if (lost) break;
    fs_base = at->worker->fs_base();
    gs_base = at->worker->gs_base();
    again = go_on(*at, &lost);
  }
  c.direct_thread.store(0);
  running_ = nullptr;
  stopped_at_entry_ = c.user_entries;
  const u64 ran = now_ns() - begin;
  c.stats.direct_ns += ran;
  if (lost) {
    // It was killed, or fooled about. Nobody knows how far the code came, so it must not be run again: the guest ends the
    // process for this exception.
    log::warn("a process for direct execution was lost: there will be no more, and the guest's process gets a #GP");
    spaces_.pop_front();
    enabled_ = false;
    c.fault = {kVectorGp, true, 0, 0};
    deliver_fault(c);
    return;
  }
  if (parts == 0) return;
  at->worth_ns = (3 * at->worth_ns + ran / parts) / 4;
  if (at->worth_ns >= kWorthNs) c.direct_cr3 = c.cr3;
}

}  // namespace pileus::engine::bt::direct
