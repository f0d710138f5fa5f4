#include "bare_processor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>

namespace pileus::cpu_test {

namespace {

// In the memory that both processes share, before the arena.
struct Exchange {
  UserState in;
  Outcome out;
};
Exchange* exchange_in(const os::Mapping& shared) { return static_cast<Exchange*>(static_cast<void*>(shared.data())); }
constexpr u64 kArenaOffset = align_up(sizeof(Exchange), 4096);

constexpr std::size_t kSignalStack = 64 * kKiB;
constexpr unsigned kVectorGp = 13, kVectorPf = 14;

// ucontext's names for the registers in GprIndex order.
constexpr std::array<int, 16> kGregs{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                     REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
constexpr u64 kUserFlags = 0x244DD5;  // what a process may set: CF PF AF ZF SF TF DF OF AC ID, and NT
constexpr u64 kXstateHeader = 512;    // offset of XSTATE_BV in the frame's XSAVE image
constexpr u64 kXstateX87Sse = 3, kXstateAvx = 4;

// The worker's own; nothing of it is touched by the code under test.
Exchange* exchange = nullptr;
bool inside = false;
bool has_avx = false;
sigjmp_buf back;
u64 own_fs = 0;
u64 own_gs = 0;

__attribute__((no_stack_protector)) inline void set_segments(u64 fs, u64 gs) {
  asm volatile("wrfsbase %0" ::"r"(fs));
  asm volatile("wrgsbase %0" ::"r"(gs));
}

void load(const UserState& from, ucontext_t* frame) {
  auto& gregs = frame->uc_mcontext.gregs;
  for (std::size_t i = 0; i < kGregs.size(); ++i) gregs[kGregs[i]] = static_cast<greg_t>(from.gpr[i]);
  gregs[REG_RIP] = static_cast<greg_t>(from.rip);
  gregs[REG_EFL] = static_cast<greg_t>((from.rflags & kUserFlags) | 0x202);
  auto* image = reinterpret_cast<u8*>(frame->uc_mcontext.fpregs);
  // Not the last bytes: the kernel's description of the frame is there.
  std::memcpy(image, from.fx.data(), kFxXmm + 16 * 16);
  u64 present = 0;
  std::memcpy(&present, image + kXstateHeader, sizeof present);
  present |= kXstateX87Sse;
  if (has_avx) {
    present |= kXstateAvx;
    std::memcpy(image + kXsaveYmm, from.ymm.data(), from.ymm.size());
  }
  std::memcpy(image + kXstateHeader, &present, sizeof present);
}

void save(const ucontext_t* frame, UserState* to) {
  const auto& gregs = frame->uc_mcontext.gregs;
  for (std::size_t i = 0; i < kGregs.size(); ++i) to->gpr[i] = static_cast<u64>(gregs[kGregs[i]]);
  to->rip = static_cast<u64>(gregs[REG_RIP]);
  to->rflags = static_cast<u64>(gregs[REG_EFL]);
  const auto* image = reinterpret_cast<const u8*>(frame->uc_mcontext.fpregs);
  std::memcpy(to->fx.data(), image, kFxXmm + 16 * 16);
  u64 present = 0;
  std::memcpy(&present, image + kXstateHeader, sizeof present);
  if (has_avx && (present & kXstateAvx) != 0) std::memcpy(to->ymm.data(), image + kXsaveYmm, to->ymm.size());
}

bool is_exit(u64 rip) {
  const u8* end = arena_at(reinterpret_cast<u8*>(exchange) + kArenaOffset, rip, kExitCode.size());
  return end != nullptr && std::memcmp(end, kExitCode.data(), kExitCode.size()) == 0;
}

__attribute__((no_stack_protector)) void on_signal(int signal, siginfo_t*, void* opaque) {
  // FS is where thread-local storage and the stack protector's canary are; the code under test has it elsewhere.
  set_segments(own_fs, own_gs);
  auto* frame = static_cast<ucontext_t*>(opaque);
  if (signal == SIGUSR1) {
    inside = true;
    load(exchange->in, frame);
    set_segments(0, 0);
    return;
  }
  if (!inside) {  // a bug of this file
    ::signal(signal, SIG_DFL);
    return;
  }
  inside = false;
  Outcome& out = exchange->out;
  save(frame, &out.state);
  out.vector = static_cast<u8>(frame->uc_mcontext.gregs[REG_TRAPNO]);
  out.cr2 = out.vector == kVectorPf ? static_cast<u64>(frame->uc_mcontext.gregs[REG_CR2]) : 0;
  const auto error = static_cast<u32>(frame->uc_mcontext.gregs[REG_ERR]);
  out.page_fault = out.vector == kVectorPf ? error & kPageFaultAccess : 0;
  out.ending = out.vector == kVectorGp && is_exit(out.state.rip) ? Ending::kExit : Ending::kException;
  if (out.ending == Ending::kExit) out.vector = 0;
  siglongjmp(back, 1);
}

// Of another process. All there is, where that process is gone.
u64 processor_time_ns(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return ~u64{0};
  return static_cast<u64>(time.tv_sec) * 1'000'000'000 + static_cast<u64>(time.tv_nsec);
}

bool prepare(int memory) {
  u64 offset = kArenaOffset;
  for (const Stretch& stretch : kArena) {
    void* wanted = reinterpret_cast<void*>(stretch.base);
    const int executable = stretch.base == kCode.base ? PROT_EXEC : 0;
    if (::mmap(wanted, stretch.size, PROT_READ | PROT_WRITE | executable, MAP_SHARED | MAP_FIXED_NOREPLACE, memory,
               static_cast<off_t>(offset)) != wanted) {
      return false;
    }
    offset += stretch.size;
  }
  stack_t alternate{};
  alternate.ss_sp = ::mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  alternate.ss_size = kSignalStack;
  if (alternate.ss_sp == MAP_FAILED || ::sigaltstack(&alternate, nullptr) != 0) return false;
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int signal : {SIGUSR1, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}) {
    if (::sigaction(signal, &action, nullptr) != 0) return false;
  }
  asm volatile("rdfsbase %0" : "=r"(own_fs));
  asm volatile("rdgsbase %0" : "=r"(own_gs));
  return true;
}

[[noreturn]] void work(int memory, int commands, int answers) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!prepare(memory)) ::_exit(1);
  has_avx = has_avx2();
  for (char token = 0; ::read(commands, &token, 1) == 1;) {
    if (sigsetjmp(back, 0) == 0) ::syscall(SYS_tgkill, ::getpid(), ::getpid(), SIGUSR1);
    asm volatile("fninit; cld");
    if (::write(answers, &token, 1) != 1) break;
  }
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<BareProcessor>> BareProcessor::create() {
  const int memory = ::memfd_create("pileus-cpu-test", MFD_CLOEXEC);
  if (memory < 0) return Error::from_errno("create shared memory");
  const u64 bytes = kArenaOffset + kArenaBytes;
  if (::ftruncate(memory, static_cast<off_t>(bytes)) != 0) return Error::from_errno("size shared memory");
  os::Mapping shared = TRY(os::Mapping::file(memory, 0, bytes, true));
  std::unique_ptr<BareProcessor> self(new BareProcessor(std::move(shared)));
  self->memory_ = memory;
  TRY(self->fork_worker());
  return self;
}

BareProcessor::~BareProcessor() {
  stop_worker();
  ::close(memory_);
}

u8* BareProcessor::arena() { return shared_.data() + kArenaOffset; }

Result<> BareProcessor::fork_worker() {
  std::array<int, 2> commands{};
  std::array<int, 2> answers{};
  if (::pipe2(commands.data(), O_CLOEXEC) != 0) return Error::from_errno("make a pipe");
  if (::pipe2(answers.data(), O_CLOEXEC) != 0) return Error::from_errno("make a pipe");
  exchange = exchange_in(shared_);
  worker_ = ::fork();
  if (worker_ < 0) return Error::from_errno("fork");
  if (worker_ == 0) {
    ::close(commands[1]);
    ::close(answers[0]);
    work(memory_, commands[0], answers[1]);
  }
  ::close(commands[0]);
  ::close(answers[1]);
  to_worker_ = commands[1];
  from_worker_ = answers[0];
  return {};
}

void BareProcessor::stop_worker() {
  if (worker_ < 0) return;
  ::kill(worker_, SIGKILL);
  ::waitpid(worker_, nullptr, 0);
  ::close(to_worker_);
  ::close(from_worker_);
  worker_ = -1;
}

void BareProcessor::start(const UserState& state) {
  exchange = exchange_in(shared_);
  exchange->in = state;
  exchange->out = Outcome{};
  const char token = 1;
  CHECK(::write(to_worker_, &token, 1) == 1);
}

// False when it spins or is dead.
bool BareProcessor::await_answer(int limit_ms) {
  constexpr int kLookEveryMs = 10;
  const u64 limit = static_cast<u64>(limit_ms) * 1'000'000;
  pollfd answer{from_worker_, POLLIN, 0};
  for (std::optional<u64> start; ::poll(&answer, 1, kLookEveryMs) != 1;) {
    const u64 now = processor_time_ns(worker_);
    if (!start) start = now;
    if (now - *start >= limit) return false;
  }
  char token = 0;
  return ::read(from_worker_, &token, 1) == 1;
}

Outcome BareProcessor::finish(int limit_ms) {
  if (await_answer(limit_ms)) return exchange_in(shared_)->out;
  // It spins, or it killed itself: either way a new one is needed.
  int status = 0;
  const bool died = ::waitpid(worker_, &status, WNOHANG) == worker_;
  if (died) {
    ::close(to_worker_);
    ::close(from_worker_);
    worker_ = -1;
  }
  stop_worker();
  CHECK(fork_worker().ok());
  Outcome out;
  out.ending = died ? Ending::kCrash : Ending::kTimeout;
  return out;
}

}  // namespace pileus::cpu_test
