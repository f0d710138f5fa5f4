// The engine seam: how a VMM runs guest instructions. It carries no trace of KVM or of the translator.
//
// An Engine belongs to one VM and owns its vCPUs and their local APICs. The machine owns everything else (IOAPIC,
// devices) and is reached through Config's pointers, which must outlive the Engine.
//
// Threads: create vCPUs before running any. Vcpu::run() is called by one thread per vCPU; state(), set_state() and
// set_debug() only while that vCPU is not in run(). kick() and everything in Engine may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "engine/cpu_model.h"
#include "engine/cpu_state.h"
#include "engine/debug.h"
#include "engine/dirty_log.h"
#include "engine/profile.h"
#include "guest/bus.h"
#include "guest/interrupt.h"
#include "guest/memory.h"

namespace pileus::engine {

// Told when the guest ends a level-triggered interrupt (the IOAPIC needs it); perhaps also at the end of an edge-triggered
// one whose vector was level-triggered before. Runs on the vCPU's thread.
class EoiListener {
 public:
  virtual ~EoiListener() = default;
  virtual void on_eoi(u8 vector) = 0;
};

// A legacy interrupt controller (the 8259A pair) that vCPU 0 may take interrupts from: its local APIC's LINT0 in mode
// ExtINT, or INTR itself while that APIC is disabled. It says through Engine::ext_int_line() that it has one.
class ExtIntSource {
 public:
  virtual ~ExtIntSource() = default;
  // The acknowledge cycle: the vector of the interrupt that is taken. Runs on vCPU 0's thread.
  virtual u8 acknowledge() = 0;
};

enum class ExitReason {
  kKicked,  // kick() was called
  kShutdown,  // triple fault: the machine stops or resets
  kError,  // the engine cannot go on; Exit::message says why
  kDebug,  // what set_debug() asked for; Exit::debug says what
};

struct Exit {
  ExitReason reason = ExitReason::kKicked;
  std::string message;
  DebugStop debug{};
};

class Vcpu {
 public:
  virtual ~Vcpu() = default;
  // Runs the guest, waiting inside while it is halted, until one of ExitReason. MMIO, ports and interrupts are
  // handled inside through the buses of Config.
  virtual Exit run() = 0;
  // Makes the current or the next run() return kKicked soon.
  virtual void kick() = 0;
  virtual CpuState state() const = 0;
  virtual Result<> set_state(const CpuState& state) = 0;
  // In place of what was asked before; kept over set_state(). Called as set_state() is.
  virtual Result<> set_debug(const DebugSettings& settings) {
    if (settings.empty()) return {};
    return Error(ErrorCode::kUnsupported, "this engine cannot be debugged: use --engine bt");
  }
};

using Counters = std::vector<std::pair<std::string, u64>>;  // name, value; for `pileus vm stats`

class Engine : public guest::MsiSink {
 public:
  // vCPU 0 starts running once its state is set; the others wait for INIT-SIPI. `id` is the APIC id.
  virtual Result<Vcpu*> create_vcpu(u32 id) = 0;
  // The wire that Config::ext_int drives; lives as long as the engine. Null: this engine has no such input.
  virtual guest::InterruptLine* ext_int_line() { return nullptr; }
  virtual const char* name() const = 0;
  virtual Counters counters() const = 0;
  // Lives as long as the engine; null: this engine cannot tell which pages are written.
  virtual DirtyLog* dirty_log() { return nullptr; }
  // Samples what every vCPU does, once in `period_ns`, until stop_profile(), which gives what was found. One thread at a
  // time.
  virtual Result<> start_profile(u64 period_ns) {
    static_cast<void>(period_ns);
    return Error(ErrorCode::kUnsupported, "this engine cannot be profiled: use --engine bt");
  }
  virtual Profile stop_profile() { return {}; }
};

enum class BtMode {
  kTranslate,  // the default: blocks are translated, the interpreter does what is rare
  kInterpret,  // everything by the interpreter: the reference
};

// Whether the translator hands user code that computes for long to the host's processor as it is.
enum class DirectMode {
  kAuto,  // where it is faster
  kOff,
  kAlways,  // whatever can run so: for tests
};

// How KVM tells which pages were written.
enum class KvmDirtyMode {
  kBitmap,  // every KVM can; each look at it costs as much as RAM is large
  kRings,  // each look costs as much as was written
};

struct Config {
  guest::GuestMemory* memory = nullptr;
  guest::Bus* mmio = nullptr;
  guest::Bus* ports = nullptr;
  EoiListener* eoi = nullptr;  // may be null
  ExtIntSource* ext_int = nullptr;  // may be null
  u32 cpu_count = 1;
  std::string cpu_model{kDefaultCpuModel};  // see cpu_model.h
  bool paravirt = true;  // offer the KVM paravirtual interface
  u64 translation_cache_bytes = 128 * kMiB;  // bound on emitted code
  std::string translation_cache_file;  // translations that outlive the VM; empty: they do not
  BtMode bt_mode = BtMode::kTranslate;
  DirectMode direct = DirectMode::kAuto;
  KvmDirtyMode kvm_dirty = KvmDirtyMode::kBitmap;
};

// The binary translator: any x86-64 Linux host.
CpuFeatures bt_cpu_features();  // what it can offer to guests on this host
Result<std::unique_ptr<Engine>> create_bt(const Config& config);

// The processor's own virtualization, by the host's KVM. Errors say why it cannot be used here.
Result<CpuFeatures> kvm_cpu_features();
Result<std::unique_ptr<Engine>> create_kvm(const Config& config);

// How well KVM runs guests here: a small one is timed, which takes some milliseconds and 40 at most.
struct KvmProbe {
  bool usable = false;
  bool near_native = false;  // else its instructions are emulated
  std::string reason;  // without a full stop: what was found, or why it cannot be used
};
KvmProbe probe_kvm();

}  // namespace pileus::engine
