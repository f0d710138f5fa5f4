#include "engine/bt/vcpu.h"

#include <immintrin.h>
#include <sys/mman.h>
#include <cstring>
#include <ctime>

#include "engine/bt/code_cache.h"
#include "engine/bt/events.h"
#include "engine/bt/interp.h"
#include "engine/bt/mmu.h"
#include "engine/bt/paravirt.h"
#include "engine/bt/runtime.h"
#include "engine/bt/stubs.h"
#include "engine/bt/system.h"

namespace pileus::engine::bt {

namespace {

constexpr u32 kDefaultMxcsr = 0x1F80;
constexpr unsigned kInterpreterBurst = 256;  // instructions between looks at the timer

u64 now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

// x87 registers of the guest live in the host's FPU during run(); the vector part is in Context::vector.
void load_x87(Context& context) {
  std::memcpy(context.fx.data() + 24, &context.mxcsr, 4);
  _fxrstor64(context.fx.data());
  _mm_setcsr(kDefaultMxcsr);
}
void save_x87(Context& context) { _fxsave64(context.fx.data()); }

}  // namespace

BtVcpu::BtVcpu(Vm& vm, Context* context, u8* cell_room)
    : vm_(vm), context_(context), lapic_(*context), cells_(cell_room), direct_(*context), debug_(*context) {}

Result<std::unique_ptr<BtVcpu>> BtVcpu::create(Vm& vm, u32 id) {
  void* memory =
      ::mmap(nullptr, align_up(sizeof(Context), 4096), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Error::from_errno("allocate a vCPU");
  ::madvise(memory, align_up(sizeof(Context), 4096), MADV_DONTFORK);
  auto* context = new (memory) Context;
  context->vm = &vm;
  context->direct_cr3 = kNoSpace;
  std::unique_ptr<BtVcpu> vcpu(new BtVcpu(vm, context, vm.code().reserve(NativeCells::kBytes)));
  context->self = context;
  context->id = id;
  context->direct = &vcpu->direct_;
  context->lapic = &vcpu->lapic_;
  context->cells = &vcpu->cells_;
  vcpu->decoded_ = TRY(os::Mapping::anonymous(sizeof(DecodeCache)));
  context->decoded = static_cast<DecodeCache*>(static_cast<void*>(vcpu->decoded_.data()));
  context->host_mxcsr = kDefaultMxcsr;
  context->index_mask = u64{kTlbSize - 1} << 12;
  context->page_mask = ~u64{4095};
  context->offset_mask = 4095;
  context->bit_mask = {31, 63};
  for (unsigned i = 0; i < 4; ++i) context->stack_mask[i] = ~u64{4095} | ((u64{1} << i) - 1);
  context->flag_mask = 0x8D5;
  context->pushed_mask = 0x387000;  // IOPL, NT, VIF, VIP, ID
  context->jump_mask = kJumpMask;
  context->no_jump = reinterpret_cast<u64>(vm.stubs().indirect);
  vcpu->void_page_ = TRY(os::Mapping::inaccessible(4096));
  context->void_page = reinterpret_cast<u64>(vcpu->void_page_.data());
  vcpu->returns_ = TRY(create_return_stack(&context->returns, vm.stubs()));
  for (JumpCache& cache : context->jump) cache.used = ~u64{0};
  reset_context(*context);
  context->lapic->reset();
  flush_tlb_all(*context);
  context->run_state = id == 0 ? RunState::kRunning : RunState::kWaitForSipi;
  vm.add_context(context);
  return vcpu;
}

BtVcpu::~BtVcpu() { ::munmap(context_, align_up(sizeof(Context), 4096)); }

void BtVcpu::kick() {
  kicked_.store(true, std::memory_order_seq_cst);
  vm_.wake(*context_);
}

// Guest instructions, until something in the run loop has to be looked at.
void BtVcpu::run_guest() {
  Context& context = *context_;
  if (is_translatable(context)) {
    const u8* code = dispatch(context);
    if (code != nullptr) vm_.stubs().enter(&context, code);
    return;
  }
  for (unsigned i = 0; i < kInterpreterBurst && !must_break(context); ++i) {
    step(context);
    const bool again = context.run_state == RunState::kRunning &&
                       context.exit_request.load(std::memory_order_relaxed) == 0 && !is_translatable(context);
    if (!again) return;
    if (context.irq_waiting != 0 && context.if_flag != 0 && !context.shadow) return;
  }
}

void BtVcpu::run_directly() {
  save_x87(*context_);
  context_->doing(Activity::kDirect);
  direct_.run();
  load_x87(*context_);
}

Result<> BtVcpu::set_debug(const DebugSettings& settings) {
  debug_.set(settings);
  context_->debug = settings.empty() ? nullptr : &debug_;
  // Debuggers take a breakpoint out to step over it: that is not worth new code.
  if (!settings.single_step) vm_.breaks().want(context_->id, debug_.offsets());
  flush_tlb_all(*context_);  // of pages that are watched
  return {};
}

// What a debugger has to be told of. Carries out the single step that it may have asked for.
bool BtVcpu::run_step(DebugStop* stop) {
  Context& context = *context_;
  if (context.debug == nullptr) return false;
  if (debug_.take_stop(stop)) return true;
  if (!debug_.single_step() || context.run_state != RunState::kRunning) return false;
  step(context);
  debug_.stepped();
  return debug_.take_stop(stop);
}

void BtVcpu::wait_halted(VcpuThread& thread) {
  Context& context = *context_;
  ++context.stats.halts;
  paravirt_halt_begin(context);
  vm_.leave_running();
  thread.arm(0);
  vm_.sleep(context, lapic_.run_timer(now_ns()).value_or(0));
  vm_.enter_running();
  paravirt_halt_end(context);
}

Exit BtVcpu::run() {
  Context& context = *context_;
  VcpuThread thread(context);
  vm_.enter_running();
  vm_.renew_breaks(context);
  load_x87(context);
  Exit exit;
  for (;;) {
    context.doing(Activity::kRunLoop);
    context.clear_exit_request();
    if (run_step(&exit.debug)) {
      exit.reason = ExitReason::kDebug;
      break;
    }
    if (kicked_.exchange(false, std::memory_order_seq_cst)) break;
    if (vm_.exclusive_wanted()) {
      vm_.leave_running();
      vm_.enter_running();
    }
    const u64 now = now_ns();
    direct_.look(now);
    const u64 due = lapic_.run_timer(now).value_or(0);
    take_pending_events(context);
    if (context.run_state == RunState::kShutdown) {
      exit = {ExitReason::kShutdown, "triple fault"};
      break;
    }
    if (context.run_state == RunState::kHalted && context.pv_kicked.exchange(false))
      context.run_state = RunState::kRunning;
    if (context.run_state != RunState::kRunning) {
      wait_halted(thread);
      continue;
    }
    if (context.debug != nullptr && debug_.single_step()) continue;  // an interrupt ended HLT
    thread.arm(due);
    if (context.debug == nullptr && direct_.wants()) {
      run_directly();
      if (context.exit_request.load() != 0) continue;
    }
    run_guest();
    ++context.stats.exits;
  }
  lapic_.withdraw_pv_eoi();
  save_x87(context);
  vm_.leave_running();
  return exit;
}

}  // namespace pileus::engine::bt
