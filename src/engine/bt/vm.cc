#include "engine/bt/vm.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/log.h"
#include "engine/bt/code_cache.h"
#include "engine/bt/code_pages.h"
#include "engine/bt/interp.h"
#include "engine/bt/runtime.h"
#include "engine/bt/stored/store.h"
#include "engine/bt/stubs.h"
#include "engine/bt/system.h"
#include "engine/bt/tlb.h"

namespace pileus::engine::bt {

Vm::Vm(const Config& config) : config_(config) {}

Result<std::unique_ptr<Vm>> Vm::create(const Config& config) {
  std::unique_ptr<Vm> vm(new Vm(config));
  vm->cpu_ = bt_identity(config, TRY(resolve_model(config.cpu_model, bt_cpu_features())));
  vm->pages_ = TRY(CodePages::create(*config.memory));
  vm->code_ = TRY(CodeCache::create(config.translation_cache_bytes, *vm->pages_));
  Assembler out(vm->code_->room(), vm->code_->room_end());
  vm->stubs_ =
      std::make_unique<Stubs>(emit_stubs(out, runtime_callouts(), vm->cpu_.features.has(FeatureWord::k1Ecx, 28)));
  vm->code_->set_base(reinterpret_cast<u8*>(align_up(reinterpret_cast<u64>(out.at()), 64)));
  if (!config.translation_cache_file.empty() && config.bt_mode == BtMode::kTranslate) vm->open_stored();
  config.memory->set_observer(vm.get());
  return vm;
}

void Vm::open_stored() {
  const auto stub_bytes = static_cast<u32>(code_->room() - code_->base());
  const auto fingerprint = stored::fingerprint_of(cpu_.features, bt_cpu_features(), stub_bytes);
  if (fingerprint) {
    stored_ = std::make_unique<stored::Store>(config_.translation_cache_file, *fingerprint, code_->mutex());
  } else {
    log::warn("translations are not kept: this program was linked without a build id");
  }
}

Vm::~Vm() { config_.memory->set_observer(nullptr); }

void Vm::wake(Context& context) {
  context.request_exit();
  if (!context.asleep.load(std::memory_order_seq_cst)) return;
  const std::lock_guard lock(sleep_mutex_);
  awake_.notify_all();
}

void Vm::sleep(Context& context, u64 deadline_ns) {
  std::unique_lock lock(sleep_mutex_);
  context.asleep.store(true, std::memory_order_seq_cst);
  const auto woken = [&] { return context.exit_request.load(std::memory_order_seq_cst) != 0; };
  if (deadline_ns == 0) {
    awake_.wait(lock, woken);
  } else {
    const std::chrono::steady_clock::time_point deadline{std::chrono::nanoseconds(deadline_ns)};
    awake_.wait_until(lock, deadline, woken);
  }
  context.asleep.store(false, std::memory_order_seq_cst);
}

void Vm::enter_running() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !exclusive_; });
  ++running_;
}

void Vm::leave_running() {
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

void Vm::begin_exclusive(Context& self) {
  std::unique_lock lock(mutex_);
  --running_;  // parked, as far as another exclusive one is concerned
  changed_.notify_all();
  changed_.wait(lock, [&] { return !exclusive_; });
  exclusive_ = true;
  for (Context* context : contexts_) {
    if (context != &self) context->request_exit();
  }
  changed_.wait(lock, [&] { return running_ == 0; });
  ++running_;
}

void Vm::end_exclusive() {
  const std::lock_guard lock(mutex_);
  exclusive_ = false;
  changed_.notify_all();
}

void Vm::forget_jumps() {
  for (Context* context : contexts_) {
    for (JumpCache& cache : context->jump) {
      for (auto& host : cache.host) host.store(context->no_jump, std::memory_order_relaxed);
    }
    for (unsigned side = 0; side < kReturnSides; ++side) forget_returns(context->returns, side);
  }
}

void Vm::forget_jumps_to(unsigned half, std::vector<u64> arrivals) {
  if (arrivals.empty()) return;
  std::sort(arrivals.begin(), arrivals.end());
  for (Context* context : contexts_) {
    for (auto& jump : context->jump[half].host) {
      const u64 at = jump.load(std::memory_order_relaxed);
      if (at < arrivals.front() || at > arrivals.back()) continue;
      if (std::binary_search(arrivals.begin(), arrivals.end(), at)) {
        jump.store(context->no_jump, std::memory_order_relaxed);
      }
    }
  }
}

void Vm::forget_jumps_to(const std::vector<const Block*>& dropped) {
  std::array<std::vector<u64>, 2> anywhere;
  for (const Block* block : dropped) {
    const u64 arrival = reinterpret_cast<u64>(block->arrival.load());
    if (arrival == 0) continue;
    const bool user = block->mode() == kModeUser;
    const u64 place = block->vpage;
    if (user || place == kSeveralPlaces) {
      anywhere[user ? 1 : 0].push_back(arrival);
      continue;
    }
    // Kernel code that runs at one address has one slot; code that never ran so has none.
    for (Context* context : contexts_) {
      std::atomic<u64>& jump = context->jump[0].host[jump_slot(place | (block->gpa() & kPageMask))];
      if (jump.load(std::memory_order_relaxed) == arrival) jump.store(context->no_jump, std::memory_order_relaxed);
    }
  }
  for (unsigned half = 0; half < 2; ++half) forget_jumps_to(half, std::move(anywhere[half]));
}

void Vm::invalidate_code(guest::Gpa address, u64 length) {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // the written bytes before the look at the code bits
  if (!pages_->has_code(address, length)) return;
  const std::lock_guard lock(code_->mutex());
  std::vector<const Block*> dropped;
  code_->invalidate(address, length, &dropped);
  if (dropped.empty()) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // invalid before the look at the jumps
  forget_jumps_to(dropped);
}

void Vm::renew_breaks(Context& self) {
  if (!breaks_.is_stale()) return;
  exclusive(self, [&] {
    const std::lock_guard lock(code_->mutex());
    breaks_.renew();
    code_->flush();
    forget_jumps();
  });
}

void Vm::flush_code(Context& self) {
  exclusive(self, [&] {
    const std::lock_guard lock(code_->mutex());
    code_->flush();
    forget_jumps();
  });
}

}  // namespace pileus::engine::bt
