// How fast guests are under this host's KVM, by trying.
//
// A /dev/kvm says little: nested in another virtual machine, it may emulate every instruction. So a guest of one loop is
// run under the engine itself, and the same loop on the host's processor. The guest takes its own time by RDTSC, so that
// neither making it nor entering it counts.
#include <fmt/format.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "engine/engine.h"

namespace pileus::engine {

namespace kvm {
namespace {

// Emulators that we have seen run some 1.3 million instructions a second: 5 to 10 ms for all rounds.
constexpr u32 kRounds = 3;
constexpr u32 kIterations = 1000;
constexpr std::chrono::milliseconds kPatience{30};
constexpr double kNearNative = 4.0;  // an exit for each RDTSC counts for 2 at most; an emulator for hundreds

constexpr u64 kMemoryBytes = 64 * kKiB;
constexpr u64 kPml4 = 0x1000, kPdpt = 0x2000, kCode = 0x4000, kResults = 0x5000;
constexpr u16 kExitPort = 0xF4;

// Guest code, 64-bit: for each of RBX rounds, RDTSC around RBP iterations of DEC and JNZ, the ticks to [RDI].
constexpr std::array<u8, 32> kLoop{
    0x0F, 0x31,  // again: rdtsc
    0x89, 0xC6,  //   mov esi, eax
    0x48, 0x89,      0xE9,  //   mov rcx, rbp
    0x48, 0xFF,      0xC9,  //   one: dec rcx
    0x75, 0xFB,  //   jnz one
    0x0F, 0x31,  //   rdtsc
    0x29, 0xF0,  //   sub eax, esi
    0x89, 0x07,  //   mov [rdi], eax
    0x48, 0x83,      0xC7, 0x04,  //   add rdi, 4
    0x48, 0xFF,      0xCB,  //   dec rbx
    0x75, 0xE5,  //   jnz again
    0xE6, kExitPort,  // out 0xF4, al
    0xF4,  // stop: hlt
    0xEB, 0xFD,  // jmp stop
};

class ExitPort final : public guest::BusDevice {
 public:
  u64 read(u64, unsigned) override { return 0xFF; }
  void write(u64, unsigned, u64) override {
    reached = true;
    vcpu->kick();
  }
  Vcpu* vcpu = nullptr;
  std::atomic<bool> reached{false};
};

u64 host_ticks() {
  u64 best = ~u64{0};
  for (u32 round = 0; round < kRounds; ++round) {
    u64 left = kIterations;
    const u64 start = __rdtsc();
    asm volatile("1: dec %0\n\tjnz 1b" : "+r"(left) : : "cc");
    best = std::min<u64>(best, __rdtsc() - start);
  }
  return std::max<u64>(best, 1);
}

void write_guest(guest::GuestMemory& memory) {
  constexpr u64 kPresentWrite = 3, kLarge = 0x80;
  const u64 pml4 = kPdpt | kPresentWrite, pdpt = (kPdpt + 0x1000) | kPresentWrite, page = kPresentWrite | kLarge;
  std::memcpy(memory.host(kPml4, 8), &pml4, 8);
  std::memcpy(memory.host(kPdpt, 8), &pdpt, 8);
  std::memcpy(memory.host(kPdpt + 0x1000, 8), &page, 8);
  std::memcpy(memory.host(kCode, kLoop.size()), kLoop.data(), kLoop.size());
}

CpuState start_of(CpuState state) {
  constexpr u32 kCode64 = 0xA09B, kData = 0xC093;
  state.segment.fill({0x10, kData, 0xFFFFFFFF, 0});
  state.segment[kCs] = {0x08, kCode64, 0xFFFFFFFF, 0};
  state.cr0 = 0x80000011;
  state.cr3 = kPml4;
  state.cr4 = 0x20;
  state.efer = 0x500;
  state.rip = kCode;
  state.rflags = 2;
  state.gpr[kRbx] = kRounds;
  state.gpr[kRbp] = kIterations;
  state.gpr[kRdi] = kResults;
  return state;
}

// Kicks the vCPU when it has not ended in time.
class Watchdog {
 public:
  explicit Watchdog(Vcpu& vcpu) : thread_([this, &vcpu] { watch(vcpu); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void watch(Vcpu& vcpu) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return done_; })) vcpu.kick();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

// The guest's ticks for one round; nothing when it did not end in time.
Result<std::optional<u64>> guest_ticks() {
  guest::GuestMemory memory = TRY(guest::GuestMemory::create(kMemoryBytes, kGiB));
  guest::Bus mmio, ports;
  ExitPort port;
  TRY(ports.add(kExitPort, 1, &port));
  Config config;
  config.memory = &memory;
  config.mmio = &mmio;
  config.ports = &ports;
  const std::unique_ptr<Engine> engine = TRY(create_kvm(config));
  Vcpu* const vcpu = TRY(engine->create_vcpu(0));
  port.vcpu = vcpu;
  write_guest(memory);
  TRY(vcpu->set_state(start_of(vcpu->state())));
  Exit exit;
  {
    const Watchdog watchdog(*vcpu);
    exit = vcpu->run();
  }
  if (exit.reason == ExitReason::kError) return Error(ErrorCode::kUnsupported, exit.message);
  if (!port.reached) return std::optional<u64>();
  u32 ticks[kRounds];
  std::memcpy(ticks, memory.host(kResults, sizeof ticks), sizeof ticks);
  return std::optional<u64>(*std::min_element(std::begin(ticks), std::end(ticks)));
}

}  // namespace
}  // namespace kvm

KvmProbe probe_kvm() {
  KvmProbe out;
  const Result<std::optional<u64>> ticks = kvm::guest_ticks();
  if (!ticks) {
    out.reason = ticks.error().message();
    return out;
  }
  out.usable = true;
  if (!*ticks) {
    out.reason = fmt::format("a loop of {} instructions did not end within {} ms under this host's KVM",
                             2 * kvm::kRounds * kvm::kIterations, kvm::kPatience.count());
    return out;
  }
  const double slowdown = static_cast<double>(**ticks) / static_cast<double>(kvm::host_ticks());
  out.near_native = slowdown <= kvm::kNearNative;
  out.reason = fmt::format("a loop takes {:.{}f} times as long under this host's KVM as on its processor", slowdown,
                           slowdown < 10 ? 1 : 0);
  return out;
}

}  // namespace pileus::engine
