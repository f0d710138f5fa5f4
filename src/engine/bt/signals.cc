#include "engine/bt/signals.h"

#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <mutex>

#include "engine/bt/code_cache.h"
#include "engine/bt/direct/direct.h"
#include "engine/bt/events.h"
#include "engine/bt/sampler.h"
#include "engine/bt/stored/guarded_copy.h"
#include "engine/bt/stubs.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr std::size_t kStackBytes = 64 * kKiB;
constexpr unsigned kHostPageFault = 14;

// The vCPU that runs on this thread. Volatile-free: read only by handlers on the same thread.
thread_local Context* current = nullptr;

int timer_signal() { return SIGRTMIN + 2; }

void on_timer(int, siginfo_t*, void*) {
  if (current == nullptr) return;
  current->exit_request.store(1, std::memory_order_seq_cst);
  current->jump_mask.store(0, std::memory_order_seq_cst);
  current->direct->kick();
}

void on_sample(int, siginfo_t*, void* opaque) {
  if (current != nullptr) take_sample(*current, static_cast<ucontext_t*>(opaque)->uc_mcontext.gregs);
}

void go_on_in_trap(greg_t* registers, unsigned vector) {
  current->trap_pc = static_cast<u64>(registers[REG_RIP]);
  current->trap_number = vector;
  registers[REG_RIP] = reinterpret_cast<greg_t>(current->vm->stubs().trap);
}

// A guest instruction that runs natively raised a host exception: go on in the trap stub, with all registers as they
// are. Anything else is a bug of ours or not ours to handle: the default action.
void on_fault(int signal, siginfo_t* info, void* opaque) {
  auto* user = static_cast<ucontext_t*>(opaque);
  auto& registers = user->uc_mcontext.gregs;
  if (stored::recover_copy(registers)) return;
  const auto trap = static_cast<unsigned>(registers[REG_TRAPNO]);
  const auto* pc = reinterpret_cast<const u8*>(registers[REG_RIP]);
  if (current != nullptr && current->vm->code().contains(pc) && trap != kHostPageFault) {
    go_on_in_trap(registers, trap);
    return;
  }
  if (current != nullptr && current->vm->code().contains(pc) && trap == kHostPageFault) {
    const auto address = reinterpret_cast<u64>(info->si_addr);
    if (const u64 rsp = after_overflow(current->returns, address); rsp != 0) {
      registers[REG_RSP] = static_cast<greg_t>(rsp);
      return;
    }
    if ((address & ~kPageMask) == current->void_page) {  // a stack pointer that is not canonical: see tlb.cc
      go_on_in_trap(registers, kVectorSs);
      return;
    }
  }
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
}

Result<> install(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigfillset(&action.sa_mask);
  for (const int fault : {SIGSEGV, SIGFPE, SIGILL, SIGBUS}) sigdelset(&action.sa_mask, fault);
  if (sigaction(signal, &action, nullptr) != 0) return Error::from_errno("install a signal handler");
  return {};
}

}  // namespace

int sample_signal() { return SIGRTMIN + 3; }

void Context::interrupt_direct(int thread) { ::syscall(SYS_tgkill, ::getpid(), thread, timer_signal()); }

Result<> install_signal_handlers() {
  static std::mutex mutex;
  static bool installed = false;
  const std::lock_guard lock(mutex);
  if (installed) return {};
  for (const int signal : {SIGSEGV, SIGFPE, SIGILL, SIGBUS}) TRY(install(signal, on_fault));
  TRY(install(timer_signal(), on_timer));
  TRY(install(sample_signal(), on_sample));
  installed = true;
  return {};
}

VcpuThread::VcpuThread(Context& context)
    : stack_(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  CHECK(stack_ != MAP_FAILED);
  stack_t alternate{};
  alternate.ss_sp = stack_;
  alternate.ss_size = kStackBytes;
  CHECK(sigaltstack(&alternate, nullptr) == 0);
  current = &context;
  CHECK(::syscall(SYS_arch_prctl, ARCH_SET_GS, &context) == 0);

  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = timer_signal();
  event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
  timer_t timer = nullptr;
  CHECK(::timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  timer_ = timer;
  context.run_thread.store(event._sigev_un._tid, std::memory_order_relaxed);
}

VcpuThread::~VcpuThread() {
  current->run_thread.store(0, std::memory_order_relaxed);
  ::timer_delete(static_cast<timer_t>(timer_));
  current = nullptr;
  stack_t off{};
  off.ss_flags = SS_DISABLE;
  sigaltstack(&off, nullptr);
  ::munmap(stack_, kStackBytes);
}

void VcpuThread::arm(u64 due_ns) {
  if (due_ns == armed_ns_) return;
  armed_ns_ = due_ns;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(due_ns / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(due_ns % 1'000'000'000);
  ::timer_settime(static_cast<timer_t>(timer_), TIMER_ABSTIME, &when, nullptr);
}

}  // namespace pileus::engine::bt
