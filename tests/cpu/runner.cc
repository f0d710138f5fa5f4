#include "runner.h"

#include <chrono>
#include <cstring>

#include "os/file.h"

namespace pileus::cpu_test {

namespace {

constexpr u64 kMemoryBytes = 16 * kMiB;
constexpr u64 kHoleStart = 3 * kGiB;
constexpr auto kWatchPeriod = std::chrono::milliseconds(20);

// Segment attributes as in engine::Segment.
constexpr u32 kCode64 = 0xA09B, kData64 = 0xC093, kCode32 = 0xC09B, kTss64Busy = 0x8B, kUnusableSegment = 0x10000;
constexpr u32 dpl_bits(unsigned cpl) { return cpl << 5; }

// PE MP ET NE WP PG; PAE OSFXSR OSXMMEXCPT FSGSBASE; SCE LME LMA NXE.
constexpr u64 kCr0 = 1 | 2 | 16 | 32 | 1U << 16 | 1U << 31;
constexpr u64 kCr4 = 1U << 5 | 1U << 9 | 1U << 10 | 1U << 16, kCr4OsXsave = 1U << 18;
constexpr u64 kXcr0WithAvx = 7;
constexpr u64 kEfer = 1 | 1U << 8 | 1U << 10 | 1U << 11;

constexpr u16 kGdtLimit = kTaskState + 16 - 1;
constexpr u16 kIdtLimit = 256 * 16 - 1;
constexpr u64 kIoMap = 0x68;             // offset in the TSS, behind its fixed part
constexpr u32 kTssLimit = kIoMap + 32;  // ports 0 to 0xFF, and the byte of ones that has to follow

// A descriptor from attributes as in engine::Segment, base 0, whole address space.
constexpr u64 flat_descriptor(u32 attributes) {
  return 0x000F00000000FFFF | u64{attributes & 0xFF} << 40 | u64{attributes >> 12 & 15} << 52;
}

u64 now_ms() {
  return static_cast<u64>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

template <typename T>
void put(guest::GuestMemory& memory, u64 address, const T& value) {
  u8* host = memory.host(address, sizeof value);
  CHECK(host != nullptr);
  std::memcpy(host, &value, sizeof value);
}

bool kvm_has_avx2() {
  constexpr unsigned kAvx2 = 5;
  const auto features = engine::kvm_cpu_features();
  return features && features->has(engine::FeatureWord::k7Ebx, kAvx2);
}

// One for all tests of this process.
std::string translation_file() {
  static const os::TemporaryDirectory folder = [] {
    auto made = os::TemporaryDirectory::create("/tmp/cpu-test-");
    CHECK(made.ok());
    return std::move(made).value();
  }();
  return (folder.path() / "translations").string();
}

bool is_kvm_near_native() {
  static const bool near_native = engine::probe_kvm().near_native;
  return near_native;
}

}  // namespace

PageTables::PageTables(guest::GuestMemory& memory) : memory_(memory) {
  std::memset(memory_.host(kPml4, 4096), 0, 4096);
}

// The entry for `virtual_address` in its table of `level` (1 = page table), upper tables made as needed.
u64* PageTables::entry(u64 virtual_address, unsigned level) {
  u64 table = kPml4;
  for (unsigned at = 4;; --at) {
    const u64 index = virtual_address >> (12 + 9 * (at - 1)) & 511;
    auto* slot = static_cast<u64*>(static_cast<void*>(memory_.host(table + 8 * index, 8)));
    if (at == level) return slot;
    if ((*slot & kPresent) == 0) {
      std::memset(memory_.host(next_, 4096), 0, 4096);
      *slot = next_ | kPresent | kWritable | kUser;
      next_ += 4096;
    }
    table = *slot & ~u64{4095};
  }
}

void PageTables::map(u64 virtual_address, u64 physical_address, u64 flags) {
  *entry(virtual_address, 1) = physical_address | flags;
}
void PageTables::map_large(u64 virtual_address, u64 physical_address, u64 flags) {
  *entry(virtual_address, 2) = physical_address | flags | kLarge;
}

void Machine::ExitPort::write(u64, unsigned, u64 written_value) {
  value = static_cast<u8>(written_value);
  written = true;
  machine->kick_all();
}

u64 Machine::Device::read(u64 offset, unsigned size) {
  u64 value = 0;
  std::memcpy(&value, &bytes[offset], size);
  return value;
}
void Machine::Device::write(u64 offset, unsigned size, u64 value) { std::memcpy(&bytes[offset], &value, size); }

u64 Machine::QueuePort::read(u64, unsigned size) {
  u64 value = 0;
  for (unsigned i = 0; i < size && !bytes.empty(); ++i) {
    value |= u64{bytes.front()} << (8 * i);
    bytes.pop_front();
  }
  return value;
}
void Machine::QueuePort::write(u64, unsigned size, u64 value) {
  for (unsigned i = 0; i < size; ++i) bytes.push_back(static_cast<u8>(value >> (8 * i)));
}

void Machine::LevelPort::write(u64, unsigned, u64 vector) {
  constexpr u32 kAssertLevel = 0xC000;
  engine->signal_msi(0xFEE00000, static_cast<u32>(vector) | kAssertLevel);
}

Machine::Machine(guest::GuestMemory memory) : memory_(std::move(memory)) {
  exit_.machine = this;
  watchdog_ = std::thread([this] { watch(); });
}

const char* name_of(Way way) {
  switch (way) {
    case Way::kInterpreter: return "interpreter";
    case Way::kTranslator: return "translator";
    case Way::kStoring: return "storing";
    case Way::kStored: return "stored";
    case Way::kDirect: return "direct";
    case Way::kKvm: return is_kvm_near_native() ? "kvm" : "kvm_emulated";
  }
  return "";
}

std::string why_no_kvm(const std::string& cpu_model, bool avx2) {
  const auto machine = Machine::create(Way::kKvm, 1, cpu_model);
  if (!machine) return machine.error().message();
  return avx2 && !kvm_has_avx2() ? "this host's KVM offers no AVX2" : "";
}

Result<std::unique_ptr<Machine>> Machine::create(Way way, u32 cpu_count, const std::string& cpu_model) {
  guest::GuestMemory memory = TRY(guest::GuestMemory::create(kMemoryBytes, kHoleStart));
  std::unique_ptr<Machine> machine(new Machine(std::move(memory)));
  TRY(machine->ports_.add(kExitPort, 1, &machine->exit_));
  TRY(machine->ports_.add(kQueuePort, 4, &machine->queue_));
  TRY(machine->ports_.add(kLevelPort, 1, &machine->level_));
  TRY(machine->mmio_.add(kDeviceMemory, machine->device_.bytes.size(), &machine->device_));
  engine::Config config;
  config.eoi = &machine->level_;
  config.memory = &machine->memory_;
  config.mmio = &machine->mmio_;
  config.ports = &machine->ports_;
  config.cpu_count = cpu_count;
  config.cpu_model = cpu_model;
  machine->avx_ = (way == Way::kKvm ? kvm_has_avx2() : has_avx2()) && cpu_model != "v2";
  config.bt_mode = way == Way::kInterpreter ? engine::BtMode::kInterpret : engine::BtMode::kTranslate;
  if (way == Way::kStoring || way == Way::kStored) config.translation_cache_file = translation_file();
  config.direct = way == Way::kDirect ? engine::DirectMode::kAlways : engine::DirectMode::kOff;
  machine->engine_ = TRY(way == Way::kKvm ? engine::create_kvm(config) : engine::create_bt(config));
  machine->level_.engine = machine->engine_.get();
  for (u32 i = 0; i < cpu_count; ++i) machine->cpus_.push_back(TRY(machine->engine_->create_vcpu(i)));
  return machine;
}

Machine::~Machine() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  watchdog_.join();
}

void Machine::write_tables(u64 tables) {
  put(memory_, kGdt, u64{0});
  put(memory_, kGdt + kKernelCode, flat_descriptor(kCode64));
  put(memory_, kGdt + kKernelData, flat_descriptor(kData64));
  put(memory_, kGdt + kUserCode32, flat_descriptor(kCode32 | dpl_bits(3)));
  put(memory_, kGdt + kUserData, flat_descriptor(kData64 | dpl_bits(3)));
  put(memory_, kGdt + kUserCode, flat_descriptor(kCode64 | dpl_bits(3)));
  put(memory_, kGdt + kKernelCode32, flat_descriptor(kCode32));
  put(memory_, kGdt + kKernelData32, flat_descriptor(kData64));
  const u64 tss = tables + kTss;
  put(memory_, kGdt + kTaskState,
      u64{kTssLimit} | (tss & 0xFFFFFF) << 16 | u64{kTss64Busy} << 40 | (tss >> 24 & 0xFF) << 56);
  put(memory_, kGdt + kTaskState + 8, tss >> 32);
  std::memset(memory_.host(kTss, kTssLimit + 1), 0, kTssLimit + 1);
  put(memory_, kTss + 4, tables + kIstTop - 2048);  // RSP0
  put(memory_, kTss + 0x24, tables + kIstTop);      // IST1
  put(memory_, kTss + 0x66, static_cast<u16>(kIoMap));
  std::memset(memory_.host(kTss + kIoMap, 33), 0xFF, 33);
  put(memory_, kTss + kIoMap + kExitPort / 8, static_cast<u8>(~(1U << (kExitPort % 8))));
}

engine::CpuState Machine::flat_state(unsigned cpl, u64 tables) {
  engine::CpuState state = cpus_[0]->state();
  const engine::Segment unusable{0, kUnusableSegment, 0, 0};
  state.segment.fill(unusable);
  const auto rpl = static_cast<u16>(cpl);
  state.segment[engine::kCs] = {static_cast<u16>((cpl == 3 ? kUserCode : kKernelCode) | rpl), kCode64 | dpl_bits(cpl),
                                0xFFFFFFFF, 0};
  state.segment[engine::kSs] = {static_cast<u16>((cpl == 3 ? kUserData : kKernelData) | rpl), kData64 | dpl_bits(cpl),
                                0xFFFFFFFF, 0};
  state.ldtr = unusable;
  state.tr = {kTaskState, kTss64Busy, kTssLimit, tables + kTss};
  state.gdtr = {tables + kGdt, kGdtLimit};
  state.idtr = {tables + kIdt, kIdtLimit};
  state.cr0 = kCr0;
  state.cr3 = kPml4;
  state.cr4 = kCr4 | (avx_ ? kCr4OsXsave : 0);
  state.xcr0 = avx_ ? kXcr0WithAvx : 1;
  state.efer = kEfer;
  state.run_state = engine::RunState::kRunning;
  const UserState user = initial_state();
  std::memcpy(state.xsave.data(), user.fx.data(), user.fx.size());
  return state;
}

void Machine::kick_all() {
  over_ = true;
  for (engine::Vcpu* cpu : cpus_) cpu->kick();
}

void Machine::watch() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kWatchPeriod, [&] { return stop_; })) {
    const u64 deadline = deadline_ms_;
    if (deadline == 0 || now_ms() < deadline) continue;
    late_ = true;
    kick_all();
  }
}

void Machine::trace(std::function<bool(const engine::CpuState&)> look) {
  look_ = std::move(look);
  CHECK(cpus_[0]->set_debug({.single_step = true, .breakpoints = {}}).ok());
}

MachineRun Machine::run_cpu(u32 number) {
  for (;;) {
    const engine::Exit exit = cpus_[number]->run();
    switch (exit.reason) {
      case engine::ExitReason::kShutdown: kick_all(); return {Ending::kException, exit.message};
      case engine::ExitReason::kError: kick_all(); return {Ending::kCrash, exit.message};
      case engine::ExitReason::kDebug:
        if (look_ && !look_(cpus_[number]->state())) kick_all();
        break;
      case engine::ExitReason::kKicked: break;
    }
    // Else a kick of the run before, too late for it.
    if (over_) return {exit_.written ? Ending::kExit : Ending::kTimeout, {}};
  }
}

MachineRun Machine::run(int limit_ms) {
  exit_.written = false;
  late_ = false;
  over_ = false;
  deadline_ms_ = now_ms() + static_cast<u64>(limit_ms);
  std::vector<MachineRun> results(cpus_.size());
  std::vector<std::thread> threads;
  for (u32 i = 1; i < cpus_.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = run_cpu(i); });
  }
  results[0] = run_cpu(0);
  for (std::thread& thread : threads) thread.join();
  deadline_ms_ = 0;
  // A triple fault or an error of one vCPU ended the others as well.
  for (const MachineRun& result : results) {
    if (result.ending == Ending::kException || result.ending == Ending::kCrash) return result;
  }
  return results[0];
}

}  // namespace pileus::cpu_test
