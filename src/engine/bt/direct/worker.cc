#include "engine/bt/direct/worker.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "engine/bt/context.h"
#include "engine/bt/direct/filter.h"
#include "os/file.h"

namespace pileus::engine::bt::direct {

namespace {

constexpr u64 kFsGsBaseUsable = 2;  // HWCAP2_FSGSBASE
constexpr int kKickSignal = SIGUSR1;
constexpr int kSignalCount = 64;
constexpr u64 kSaRestorer = 0x04000000;
constexpr int kPatienceMs = 1000;
constexpr u64 kKernelContextBytes = 304;  // of the frame's ucontext; glibc's type has more behind it
constexpr int kTrapPerf = 6;              // si_code TRAP_PERF
constexpr u64 kXsaveRoom = 512 + 64 + 256;  // FXSAVE image, XSAVE header, upper halves of the YMM registers

// As the kernel has it.
struct KernelAction {
  u64 handler, flags, restorer, mask;
};

struct Birth {
  int memory = -1, shared = -1;
  std::array<int, kFdCount> fd{};
};

// ---- in the worker, before the VMM's memory goes away. Nothing here may take a lock.

bool map_region(int shared) {
  const auto map = [&](u64 offset, u64 bytes, int protection) {
    void* wanted = reinterpret_cast<void*>(kRegion + offset);
    return ::mmap(wanted, bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, shared, static_cast<off_t>(offset)) ==
           wanted;
  };
  return map(0, kControlOffset, PROT_READ | PROT_EXEC) &&
         map(kControlOffset, kScratchOffset - kControlOffset, PROT_READ) &&
         map(kScratchOffset, kRegionBytes - kScratchOffset, PROT_READ | PROT_WRITE);
}

bool take_signals() {
  stack_t stack{};
  stack.ss_sp = reinterpret_cast<void*>(kRegion + kStackOffset);
  stack.ss_size = kStackBytes;
  if (::sigaltstack(&stack, nullptr) != 0) return false;
  for (int signal = 1; signal <= kSignalCount; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    KernelAction action{reinterpret_cast<u64>(SIG_IGN), 0, 0, 0};
    for (const int ours : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, kKickSignal}) {
      if (signal == ours) action = {stub().handler, SA_SIGINFO | SA_ONSTACK | kSaRestorer, stub().handler, ~u64{0}};
    }
    if (::syscall(SYS_rt_sigaction, signal, &action, nullptr, 8) != 0) return false;
  }
  const u64 none = 0;
  return ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8) == 0;
}

bool keep_descriptors(const Birth& birth) {
  constexpr int kAside = 1000;  // so that none is overwritten before it is copied
  for (int i = kFdMemory; i < kFdCount; ++i) {
    if (::dup2(birth.fd[static_cast<std::size_t>(i)], kAside + i) < 0) return false;
  }
  for (int i = kFdMemory; i < kFdCount; ++i) {
    if (::dup2(kAside + i, i) < 0) return false;
  }
  return ::syscall(SYS_close_range, 0, kFdMemory - 1, 0) == 0 && ::syscall(SYS_close_range, kFdCount, ~0U, 0) == 0;
}

// The kernel would go on writing to what the C library registered.
void leave_c_library() {
  ::syscall(SYS_set_robust_list, nullptr, 24);
  ::syscall(SYS_set_tid_address, nullptr);
  if (__rseq_size != 0) {
    auto* area = static_cast<u8*>(__builtin_thread_pointer()) + __rseq_offset;
    if (::syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) != 0) ::_exit(1);
  }
}

[[noreturn]] void become_worker(const Birth& birth) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "pileus-direct");
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const bool ready = map_region(birth.shared) && keep_descriptors(birth) &&
                     ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                     ::prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0 && take_signals();
  ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
  if (!ready) ::_exit(1);
  leave_c_library();
  asm volatile("jmp *%0" ::"r"(stub().start) : "memory");
  __builtin_unreachable();
}

}  // namespace

bool is_cpuid_fault_supported() {
  static const bool is = ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0;  // what it is without
  return is;
}

bool is_supported() { return (::getauxval(AT_HWCAP2) & kFsGsBaseUsable) != 0; }

Worker::Worker(os::Mapping shared, pid_t pid, os::Fd process)
    : shared_(std::move(shared)), pid_(pid), process_(std::move(process)) {}

Result<std::unique_ptr<Worker>> Worker::start(int memory_fd) {
  const os::Fd file = TRY(os::anonymous_file("pileus-direct", kRegionBytes));
  if (::pwrite(file.get(), stub().begin, stub().bytes, 0) != static_cast<ssize_t>(stub().bytes))
    return Error::from_errno("write the code of a direct worker");
  os::Mapping shared = TRY(os::Mapping::file(file.get(), kControlOffset, kRegionBytes - kControlOffset, true));
  auto* control = new (shared.data()) Control;
  write_filters(control);

  Birth birth{memory_fd, file.get(), {}};
  birth.fd[kFdMemory] = memory_fd;
  std::array<os::Fd, kFdCount> events;
  for (int i = kFdExit; i < kFdCount; ++i) {
    events[static_cast<std::size_t>(i)] = os::Fd(::eventfd(0, EFD_CLOEXEC));
    birth.fd[static_cast<std::size_t>(i)] = events[static_cast<std::size_t>(i)].get();
    if (!events[static_cast<std::size_t>(i)].valid()) return Error::from_errno("make an eventfd");
  }
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
  if (pid < 0) return Error::from_errno("fork a direct worker");
  if (pid == 0) become_worker(birth);
  os::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::unique_ptr<Worker> worker(new Worker(std::move(shared), pid, std::move(process)));
  worker->exit_ = std::move(events[kFdExit]);
  worker->go_ = std::move(events[kFdGo]);
  worker->request_ = std::move(events[kFdRequest]);
  worker->mapped_ = std::move(events[kFdMapped]);
  if (!worker->process_.valid()) return Error::from_errno("watch a direct worker");
  if (!worker->wait_for(worker->exit_.get(), nullptr) || !worker->find_frame())
    return Error(ErrorCode::kUnsupported, "a direct worker does not start; does the host forbid seccomp filters?");
  return worker;
}

Worker::~Worker() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
}

Control& Worker::control() const { return *static_cast<Control*>(static_cast<void*>(shared_.data())); }
const Scratch& Worker::scratch() const {
  return *static_cast<const Scratch*>(static_cast<const void*>(shared_.data() + (kScratchOffset - kControlOffset)));
}

bool Worker::is_alive() const {
  pollfd entry{.fd = process_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 0;
}

// Until one event came from the worker. False when it is gone, counts wrongly, or does not answer a request to stop.
bool Worker::wait_for(int fd, Context* context) {
  std::array<pollfd, 2> entries = {pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = process_.get(), .events = POLLIN, .revents = 0}};
  for (unsigned asked = 0;;) {
    const int ready = ::poll(entries.data(), entries.size(), kPatienceMs);
    if (ready > 0 && (entries[0].revents & POLLIN) != 0) {
      u64 count = 0;
      return ::read(fd, &count, sizeof count) == sizeof count && count == 1;
    }
    if (ready > 0) return false;
    if (ready < 0) continue;  // a kick, which the signal handler has handed on
    const bool wanted = context == nullptr || context->exit_request.load() != 0;
    if (wanted && ++asked == 3) return false;
  }
}

bool Worker::set_breakpoint(u64 address) {
  for (const Breakpoint& one : breakpoints_) {
    if (one.address == address) return true;
  }
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_BREAKPOINT;
  attributes.size = sizeof attributes;
  attributes.bp_type = HW_BREAKPOINT_X;
  attributes.bp_addr = address;
  attributes.bp_len = sizeof(long);
  attributes.sample_period = 1;
  attributes.sigtrap = 1;
  attributes.remove_on_exec = 1;  // which sigtrap asks for
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  os::Fd event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, pid_, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event.valid()) return false;
  breakpoints_.push_back({address, std::move(event)});
  return true;
}

void Worker::remove_breakpoints(u64 begin, u64 end) {
  std::erase_if(breakpoints_, [&](const Breakpoint& one) { return one.address >= begin && one.address < end; });
}

// Of the kernel's siginfo_t, which follows its ucontext.
int Worker::signal_code() const {
  int code = 0;
  std::memcpy(&code, static_cast<const u8*>(static_cast<const void*>(frame_)) + kKernelContextBytes + 8, sizeof code);
  return code;
}

Stop Worker::stop() const {
  switch (scratch().signal) {
    case kKickSignal: return Stop::kKick;
    case SIGSYS: return Stop::kSystemCall;
    case SIGTRAP: return signal_code() == kTrapPerf ? Stop::kBreakpoint : Stop::kTrap;
    default: return Stop::kFault;
  }
}

// The guest's code may have put anything where the handler says its frame is.
bool Worker::find_frame() {
  const u64 begin = kRegion + kStackOffset, end = begin + kStackBytes;
  const u64 at = scratch().frame;
  if (at < begin || at % 8 != 0 || at > end - sizeof(ucontext_t)) return false;
  u8* const base = shared_.data() + (kStackOffset - kControlOffset);
  frame_ = static_cast<ucontext_t*>(static_cast<void*>(base + (at - begin)));
  const auto image = reinterpret_cast<u64>(frame_->uc_mcontext.fpregs);
  if (image < begin || image % 64 != 0 || image > end - kXsaveRoom) return false;
  image_ = base + (image - begin);
  return true;
}

bool Worker::map(std::span<const MapRequest> requests) {
  std::copy(requests.begin(), requests.end(), control().request.begin());
  control().request_count = requests.size();
  const u64 one = 1;
  return ::write(request_.get(), &one, sizeof one) == sizeof one && wait_for(mapped_.get(), nullptr);
}

// Every stop of the executor is one event at `exit_`, and every event here lets it go on once. So when an event more has
// come than were given, it is stopped, whatever guest code did to the registers and the memory of the worker.
bool Worker::run(Context& context, u64 fs_base, u64 gs_base) {
  control().fs_base = fs_base;
  control().gs_base = gs_base;
  std::memset(&frame_->uc_sigmask, 0, 8);  // all that the kernel has of it
  const u64 one = 1;
  return ::write(go_.get(), &one, sizeof one) == sizeof one && wait_for(exit_.get(), &context) && find_frame();
}

void Worker::kick() const { ::syscall(SYS_tgkill, pid_, pid_, kKickSignal); }

}  // namespace pileus::engine::bt::direct
