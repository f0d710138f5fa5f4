#include "engine/kvm/vcpu.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "engine/kvm/cpuid.h"
#include "engine/kvm/kick.h"
#include "engine/kvm/list.h"

namespace pileus::engine::kvm {

namespace {

void count(std::atomic<u64>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

// The largest access that a bus takes of `left` bytes.
unsigned piece_of(unsigned left) { return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }

}  // namespace

KvmVcpu::KvmVcpu(Vm& vm, u32 id, Sampler& sampler, os::Fd file, os::Mapping mapping)
    : vm_(vm), id_(id), sampler_(sampler), file_(std::move(file)), mapping_(std::move(mapping)) {}

Result<std::unique_ptr<KvmVcpu>> KvmVcpu::create(Vm& vm, u32 id, Sampler& sampler) {
  os::Fd file(TRY(call(vm.fd(), KVM_CREATE_VCPU, u64{id}, "KVM_CREATE_VCPU")));
  os::Mapping mapping = TRY(os::Mapping::file(file.get(), 0, vm.device().vcpu_mapping_bytes(), true));
  std::unique_ptr<KvmVcpu> vcpu(new KvmVcpu(vm, id, sampler, std::move(file), std::move(mapping)));
  TRY(vcpu->set_up());
  TRY(vm.dirty_log().add_vcpu(vcpu->fd()));
  return vcpu;
}

Result<> KvmVcpu::set_up() {
  tsc_khz_ = static_cast<u64>(TRY(call(fd(), KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ")));
  if (tsc_khz_ == 0) return Error(ErrorCode::kUnsupported, "this host's TSC has no constant rate: use --engine bt");
  const std::vector<kvm_cpuid_entry2>& supported = vm_.device().supported_cpuid();
  const CpuIdentity cpu{vm_.features(),        vm_.config().cpu_count,   static_cast<u32>(tsc_khz_),
                        vm_.config().paravirt, paravirt_bits(supported), "KVM"};
  List<kvm_cpuid_entry2> cpuid(make_cpuid(supported, cpu, id_, vm_.apic_cycle_ns()));
  TRY(call(fd(), list_request(KVM_SET_CPUID2), cpuid.argument(), "KVM_SET_CPUID2"));
  if (vm_.device().capability(KVM_CAP_ENFORCE_PV_FEATURE_CPUID) > 0) {
    kvm_enable_cap request{};
    request.cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID;
    request.args[0] = 1;
    TRY(call(fd(), KVM_ENABLE_CAP, &request, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID"));
  }
  return load_run_state(id_ == 0 ? RunState::kRunning : RunState::kWaitForSipi);
}

Result<> KvmVcpu::set_debug(const DebugSettings& settings) {
  debug_ = TRY(GuestDebug::create(settings));
  return load_debug();
}

// KVM steps from where the vCPU is at this call.
Result<> KvmVcpu::load_debug() {
  kvm_guest_debug request = debug_.request(static_cast<u32>(vm_.device().capability(KVM_CAP_SET_GUEST_DEBUG2)));
  TRY(call(fd(), KVM_SET_GUEST_DEBUG, &request, "KVM_SET_GUEST_DEBUG"));
  return {};
}

void KvmVcpu::kick() {
  kicked_.store(true, std::memory_order_seq_cst);
  interrupt_run();
}

void KvmVcpu::set_ext_int(bool level) {
  if (ext_int_.exchange(level, std::memory_order_seq_cst) != level && level) interrupt_run();
}

// Ends the KVM_RUN that is under way, or the next one.
void KvmVcpu::interrupt_run() {
  __atomic_store_n(&shared().immediate_exit, 1, __ATOMIC_SEQ_CST);
  signal_thread();
}

void KvmVcpu::signal_thread() {
  const std::lock_guard lock(thread_mutex_);
  if (running_) ::pthread_kill(thread_, kick_signal());
}

// The local APICs are KVM's, the legacy controller is the machine's: its interrupts go in by hand, as soon as KVM says that
// LINT0 and the guest let one pass. It knows of that at each end of KVM_RUN.
Result<> KvmVcpu::offer_ext_int() {
  ExtIntSource* const source = vm_.config().ext_int;
  if (source == nullptr || id_ != 0) return {};
  kvm_run& run = shared();
  if (ext_int_.load(std::memory_order_seq_cst) && run.ready_for_interrupt_injection != 0) {
    kvm_interrupt request{source->acknowledge()};
    TRY(call(fd(), KVM_INTERRUPT, &request, "KVM_INTERRUPT"));
    run.ready_for_interrupt_injection = 0;
  }
  run.request_interrupt_window = ext_int_.load(std::memory_order_seq_cst) ? 1 : 0;
  return {};
}

// immediate_exit follows kicked_. A kick in between is not lost: it sets kicked_ first, and here that is read last. Nor is a
// rise of the legacy wire, which is looked at after this.
void KvmVcpu::arm() {
  __atomic_store_n(&shared().immediate_exit, 0, __ATOMIC_SEQ_CST);
  if (kicked_.load(std::memory_order_seq_cst)) __atomic_store_n(&shared().immediate_exit, 1, __ATOMIC_SEQ_CST);
}

void KvmVcpu::enter_thread() {
  const std::lock_guard lock(thread_mutex_);
  thread_ = ::pthread_self();
  running_ = true;
}

void KvmVcpu::leave_thread() {
  const std::lock_guard lock(thread_mutex_);
  running_ = false;
}

// A kicked vCPU goes through KVM_RUN once more with immediate_exit set: that ends the instruction whose access to a
// device was just served, so that the state is one between two instructions.
Exit KvmVcpu::run() {
  enter_thread();
  Exit exit;
  arm();
  for (;;) {
    if (shut_down_) {
      if (!kicked_.exchange(false)) exit = {ExitReason::kShutdown, "triple fault"};
      break;
    }
    if (const Result<> offered = offer_ext_int(); !offered) {
      exit = {ExitReason::kError, offered.error().message()};
      break;
    }
    if (::ioctl(fd(), KVM_RUN, 0) == 0) {
      if (std::optional<Exit> end = handle_exit()) {
        exit = std::move(*end);
        break;
      }
      continue;
    }
    if (errno == EINTR) {
      count(exits_.signal);
      if (kicked_.exchange(false, std::memory_order_seq_cst)) {
        if (std::optional<Exit> end = settle()) exit = std::move(*end);
        break;
      }
      if (sample_wanted_.exchange(false, std::memory_order_relaxed)) take_sample();
      arm();
      continue;
    }
    if (errno == EAGAIN) continue;  // was told to start by another vCPU
    exit = {ExitReason::kError, Error::from_errno("KVM cannot run the guest").message()};
    break;
  }
  leave_thread();
  return exit;
}

// Taken by the vCPU's own thread, when it has left the guest. A signal that comes outside of KVM_RUN is one sample less;
// immediate_exit is left alone, on which settle() counts.
void KvmVcpu::sample() {
  if (in_device_.load(std::memory_order_relaxed)) {
    sampler_.count(Activity::kDevice, false, 0);
    return;
  }
  sample_wanted_.store(true, std::memory_order_relaxed);
  signal_thread();
}

void KvmVcpu::take_sample() {
  constexpr u8 kUser = 3;
  kvm_regs registers{};
  kvm_sregs system{};
  kvm_mp_state state{};
  if (!call(fd(), KVM_GET_REGS, &registers, "KVM_GET_REGS") || !call(fd(), KVM_GET_SREGS, &system, "KVM_GET_SREGS") ||
      !call(fd(), KVM_GET_MP_STATE, &state, "KVM_GET_MP_STATE")) {
    return;
  }
  const bool runs = state.mp_state == KVM_MP_STATE_RUNNABLE;
  sampler_.count(runs ? Activity::kGuest : Activity::kHalted, runs && system.ss.dpl == kUser, runs ? registers.rip : 0);
}

// Makes the local APIC say what the timer has done. KVM requests the interrupt of a timer that has expired within KVM_RUN only,
// on the way into the guest, and until then tells nobody of it. A timer that still counts here may expire at any time from
// now on, which state() finds out. One that has just run down may not have called KVM yet, but a timer of this
// processor that is set now comes after it.
std::optional<Exit> KvmVcpu::settle() {
  const LapicState lapic = save_lapic(lapic_clock());
  timer_due_ns_ = lapic.timer_initial_ns;
  if (has_run_down(lapic)) std::this_thread::sleep_for(std::chrono::microseconds(50));
  const PendingKick kick(fd());
  __atomic_store_n(&shared().immediate_exit, 0, __ATOMIC_SEQ_CST);
  while (::ioctl(fd(), KVM_RUN, 0) == 0) {
    if (std::optional<Exit> end = handle_exit()) return end;
  }
  return std::nullopt;
}

std::optional<Exit> KvmVcpu::handle_exit() {
  const kvm_run& run = shared();
  switch (run.exit_reason) {
    case KVM_EXIT_IO:
      count(exits_.port);
      in_device_.store(true, std::memory_order_relaxed);
      handle_port();
      in_device_.store(false, std::memory_order_relaxed);
      return std::nullopt;
    case KVM_EXIT_MMIO:
      count(exits_.mmio);
      in_device_.store(true, std::memory_order_relaxed);
      handle_mmio();
      in_device_.store(false, std::memory_order_relaxed);
      return std::nullopt;
    case KVM_EXIT_IOAPIC_EOI:
      count(exits_.eoi);
      if (vm_.config().eoi != nullptr) vm_.config().eoi->on_eoi(run.eoi.vector);
      return std::nullopt;
    case KVM_EXIT_DIRTY_RING_FULL: {
      count(exits_.dirty_ring);
      const Result<> emptied = vm_.dirty_log().empty_rings();
      if (emptied) return std::nullopt;
      return Exit{ExitReason::kError, emptied.error().message()};
    }
    case KVM_EXIT_DEBUG: count(exits_.other); return Exit{ExitReason::kDebug, "", debug_.stop(run.debug.arch)};
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN: count(exits_.other); return std::nullopt;
    case KVM_EXIT_SHUTDOWN: shut_down_ = true; return Exit{ExitReason::kShutdown, "triple fault"};
    case KVM_EXIT_INTERNAL_ERROR: return internal_error();
    case KVM_EXIT_FAIL_ENTRY:
      return Exit{ExitReason::kError,
                  fmt::format("the processor refused to enter the guest (reason {:#x}): use --engine bt",
                              static_cast<u64>(run.fail_entry.hardware_entry_failure_reason))};
    default:
      return Exit{ExitReason::kError, fmt::format("KVM left the guest for reason {}, which this engine does not know: "
                                                  "use --engine bt",
                                                  static_cast<u32>(run.exit_reason))};
  }
}

void KvmVcpu::handle_port() {
  kvm_run& run = shared();
  const unsigned size = run.io.size;
  u8* data = mapping_.data() + run.io.data_offset;
  for (u32 i = 0; i < run.io.count; ++i, data += size) {
    u64 value = 0;
    if (run.io.direction == KVM_EXIT_IO_OUT) {
      std::memcpy(&value, data, size);
      vm_.config().ports->write(run.io.port, size, value);
    } else {
      vm_.config().ports->read(run.io.port, size, &value);
      std::memcpy(data, &value, size);
    }
  }
}

void KvmVcpu::handle_mmio() {
  kvm_run& run = shared();
  const unsigned length = std::min<unsigned>(run.mmio.len, sizeof run.mmio.data);
  for (unsigned done = 0; done < length;) {
    const unsigned size = piece_of(length - done);
    u64 value = 0;
    if (run.mmio.is_write != 0) {
      std::memcpy(&value, run.mmio.data + done, size);
      vm_.config().mmio->write(run.mmio.phys_addr + done, size, value);
    } else {
      vm_.config().mmio->read(run.mmio.phys_addr + done, size, &value);
      std::memcpy(run.mmio.data + done, &value, size);
    }
    done += size;
  }
}

Exit KvmVcpu::internal_error() const {
  const kvm_run& run = shared();
  kvm_regs registers{};
  (void)call(fd(), KVM_GET_REGS, &registers, "KVM_GET_REGS");
  const u64 rip = registers.rip;
  if (run.internal.suberror != KVM_INTERNAL_ERROR_EMULATION) {
    return {ExitReason::kError, fmt::format("KVM failed with internal error {} at {:#x}: use --engine bt",
                                            static_cast<u32>(run.internal.suberror), rip)};
  }
  std::string bytes;
  const auto& failure = run.emulation_failure;
  const bool told = failure.ndata >= 3 && (failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0;
  for (unsigned i = 0; told && i < failure.insn_size && i < sizeof failure.insn_bytes; ++i) {
    bytes += fmt::format(" {:02x}", failure.insn_bytes[i]);
  }
  return {
      ExitReason::kError,
      fmt::format("this host's KVM cannot emulate the guest's instruction{} at {:#x}: use --engine bt", bytes, rip)};
}

}  // namespace pileus::engine::kvm
