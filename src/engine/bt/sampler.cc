#include "engine/bt/sampler.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "engine/bt/code_cache.h"
#include "engine/bt/signals.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kMaxEntries = 100'000;  // different ones; then stacks are forgotten
constexpr u64 kMinPeriodNs = 100'000;

// Where in the host `size` bytes of the guest's stack are, as far as a TLB has their page. The signal may have come in the
// middle of a change of the TLB, which then gives any address.
const u8* stack_at(const Context& context, u64 va, u64 size) {
  const Mode mode = context.mode();
  for (const unsigned which : {1U, 0U}) {
    const u8* host = tlb_lookup(context.tlb[mode][which], va, 1);
    if (host == nullptr) continue;
    for (const guest::GuestMemory::Region& region : context.vm->memory().regions()) {
      if (host >= region.host && host + size <= region.host + region.size) return host;
    }
  }
  return nullptr;
}

void copy_stack(const Context& context, u64 rsp, RawSample& out) {
  rsp &= ~u64{7};
  while (out.words < RawSample::kWords) {
    const u64 at = rsp + u64{8} * out.words;
    const u64 count = std::min<u64>(RawSample::kWords - out.words, (4096 - (at & kPageMask)) / 8);
    const u8* host = stack_at(context, at, count * 8);
    if (host == nullptr) return;
    std::memcpy(&out.word[out.words], host, count * 8);
    out.words += static_cast<unsigned>(count);
  }
}

void copy_calls(const Context& context, u64 rsp, RawSample& out) {
  const ReturnStack& returns = context.returns;
  const u64 base = returns.base[returns.side];
  if (rsp < returns.limit[returns.side] || rsp > base) return;
  // Between a CALL's two pushes there is one word more.
  for (rsp += (base - rsp) % kReturnFrame; rsp < base && out.calls < RawSample::kCalls; rsp += kReturnFrame) {
    std::memcpy(&out.call[out.calls++].host, reinterpret_cast<const void*>(rsp), 8);
    std::memcpy(&out.call[out.calls - 1].vpage, reinterpret_cast<const void*>(rsp + 8), 8);
  }
}

// The guest instruction that host code at `pc` belongs to: its offset in its page.
u16 offset_at(const Block& block, const u8* pc) {
  const auto offset = static_cast<u32>(pc - block.host);
  u16 found = static_cast<u16>(block.gpa() & kPageMask);
  for (unsigned i = 0; i < block.insn_count && block.marks()[i].host_offset <= offset; ++i) {
    found = block.marks()[i].guest_offset;
  }
  return found;
}

}  // namespace

void take_sample(Context& context, const greg_t* registers) {
  SampleRing* ring = context.samples.load(std::memory_order_acquire);
  if (ring == nullptr) return;
  const u64 head = ring->head.load(std::memory_order_relaxed);
  if (head - ring->tail.load(std::memory_order_acquire) == SampleRing::kSlots) {
    ring->lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  RawSample& out = ring->slot[head % SampleRing::kSlots];
  const CodeCache& code = context.vm->code();
  out.pc = static_cast<u64>(registers[REG_RIP]);
  out.generation = code.generation();
  out.activity = context.activity.load(std::memory_order_relaxed);
  out.user = context.cpl == 3;
  out.rip = context.rip;
  out.vpage = context.vpage;
  out.site = 0;
  out.calls = out.words = 0;
  const bool inside = code.contains(reinterpret_cast<const u8*>(out.pc));
  if (!inside && out.activity == Context::fast_activity(Activity::kTlbMiss)) out.site = context.fast[2];
  if (!inside && out.activity == Context::fast_activity(Activity::kLookup)) out.rip = context.fast[1];
  if (!out.user) {
    copy_calls(context, inside ? static_cast<u64>(registers[REG_RSP]) : context.returns.rsp, out);
    copy_stack(context, inside ? static_cast<u64>(registers[REG_R15]) : context.gpr[kRsp], out);
  }
  ring->head.store(head + 1, std::memory_order_release);
}

Result<> Sampler::start(u64 period_ns) {
  if (thread_.joinable()) return Error(ErrorCode::kBusy, "a profile is being taken already: wait for its end");
  period_ns_ = std::max(period_ns, kMinPeriodNs);
  counts_.clear();
  samples_ = 0;
  stopping_ = false;
  rings_.clear();
  for (Context* context : vm_.contexts()) {
    rings_.push_back(std::make_unique<SampleRing>());
    context->samples.store(rings_.back().get(), std::memory_order_release);
  }
  thread_ = std::thread([this] { loop(); });
  return {};
}

Profile Sampler::stop() {
  Profile profile;
  if (!thread_.joinable()) return profile;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
  profile.samples = samples_;
  profile.period_ns = period_ns_;
  for (Context* context : vm_.contexts()) context->samples.store(nullptr, std::memory_order_release);
  for (const auto& ring : rings_) profile.lost += ring->lost.load();
  for (const auto& [key, count] : counts_) {
    profile.entries.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  // A handler may still be at work with its ring: they are kept until the next start.
  return profile;
}

void Sampler::loop() {
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    next += std::chrono::nanoseconds(period_ns_);
    {
      std::unique_lock lock(mutex_);
      if (stopped_.wait_until(lock, next, [this] { return stopping_; })) break;
    }
    for (std::size_t i = 0; i < rings_.size(); ++i) {
      const Context& context = *vm_.contexts()[i];
      drain(*rings_[i]);
      if (context.asleep.load(std::memory_order_relaxed)) {
        count({Activity::kHalted, false, {}});
      } else if (const int thread = context.run_thread.load(std::memory_order_relaxed); thread != 0) {
        ::syscall(SYS_tgkill, ::getpid(), thread, sample_signal());
      }
    }
  }
  for (const auto& ring : rings_) drain(*ring);
}

void Sampler::drain(SampleRing& ring) {
  const u64 head = ring.head.load(std::memory_order_acquire);
  u64 tail = ring.tail.load(std::memory_order_relaxed);
  for (; tail != head; ++tail) count(resolve(ring.slot[tail % SampleRing::kSlots]));
  ring.tail.store(tail, std::memory_order_release);
}

void Sampler::count(Key key) {
  ++samples_;
  if (counts_.size() >= kMaxEntries && !counts_.contains(key)) std::get<2>(key).clear();
  ++counts_[std::move(key)];
}

Sampler::Key Sampler::resolve(const RawSample& raw) const {
  CodeCache& code = vm_.code();
  const auto* pc = reinterpret_cast<const u8*>(raw.pc);
  auto activity = static_cast<Activity>(raw.activity & ~Context::kFast);
  u64 rip = raw.rip;
  std::vector<u64> stack;
  // Blocks live until all are thrown away.
  const std::lock_guard lock(code.mutex());
  const bool known = code.generation() == raw.generation;
  if (code.contains(pc)) {
    const Block* block = known ? code.block_of(pc) : nullptr;
    activity = block != nullptr || !known ? Activity::kGuest : Activity::kTransition;
    rip = block != nullptr ? raw.vpage + offset_at(*block, pc) : 0;
  } else if (raw.site != 0) {
    rip = 0;
    // The signal may have come between a stub and the function that says what is done: then this is no site at all.
    const auto* at = reinterpret_cast<const u8*>(raw.site);
    if (known && code.contains(at) && code.contains(at + sizeof(Site))) {
      Site site;
      std::memcpy(&site, at, sizeof site);
      const Block* block = code.has_block(site.block) ? code.block_at(site.block) : nullptr;
      if (block != nullptr && site.value < block->insn_count) rip = raw.vpage + block->marks()[site.value].guest_offset;
    }
  }
  if (activity == Activity::kDirect) return {activity, true, {}};
  if (rip != 0) stack.push_back(rip);
  unsigned at = 0;
  for (unsigned i = 0; known && i < raw.calls; ++i) {
    const Block* caller = code.block_of(reinterpret_cast<const u8*>(raw.call[i].host) - 1);
    if (caller == nullptr) break;
    const u64 back = raw.call[i].vpage + caller->marks()[caller->insn_count].guest_offset;
    const auto* const end = raw.word.begin() + raw.words;
    const auto* const found = std::find(raw.word.begin() + at, end, back);
    if (found == end) continue;
    at = static_cast<unsigned>(found - raw.word.begin()) + 1;
    stack.push_back(back - 1);
  }
  return {activity, raw.user, std::move(stack)};
}

}  // namespace pileus::engine::bt
