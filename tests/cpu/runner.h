// Machine: the smallest computer that a CPU test needs: 16 MiB of RAM, an engine, and one port that ends the run.
//
// Used by one thread; with more than one vCPU, run() starts threads for the others and joins them.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "engine/engine.h"
#include "guest/bus.h"
#include "guest/memory.h"
#include "user_state.h"

namespace pileus::cpu_test {

// Selectors of the GDT that Machine makes. The order of the user ones is what SYSRET asks for.
inline constexpr u16 kKernelCode = 0x08, kKernelData = 0x10, kUserCode32 = 0x18, kUserData = 0x20, kUserCode = 0x28,
                     kKernelCode32 = 0x30, kKernelData32 = 0x38, kTaskState = 0x40;

// Guest-physical addresses of what the tests are set up with.
inline constexpr u64 kGdt = 0x1000, kTss = 0x2000, kIdt = 0x3000, kStubs = 0x4000, kIstTop = 0x8000, kPml4 = 0x10000;

// Devices: 8 bytes of memory, a port that is a queue, one that sends interrupts. system/prelude.inc has them too.
inline constexpr u64 kDeviceMemory = 0xD0000000;
inline constexpr u16 kQueuePort = 0xF0, kLevelPort = 0xF8;

// Page table entry bits (Intel SDM vol. 3, table 4-20).
inline constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kLarge = 1U << 7, kNoExecute = u64{1} << 63;

// Writes 4-level page tables, taking pages for them from kPml4 on.
class PageTables {
 public:
  explicit PageTables(guest::GuestMemory& memory);
  void map(u64 virtual_address, u64 physical_address, u64 flags);        // 4 KiB
  void map_large(u64 virtual_address, u64 physical_address, u64 flags);  // 2 MiB

 private:
  u64* entry(u64 virtual_address, unsigned level);
  guest::GuestMemory& memory_;
  u64 next_ = kPml4 + 4096;
};

struct MachineRun {
  Ending ending = Ending::kCrash;  // kExit: port 0xF4 was written; kException: triple fault
  std::string message;
};

// How the engine runs what can be run in more than one way.
enum class Way {
  kInterpreter,
  kTranslator,
  kStoring,  // the same, and what was translated goes to a file
  kStored,   // the same, with what kStoring left there before
  kDirect,  // user code on the host's processor wherever that is possible, the rest as kTranslator
  kKvm,     // by the host's KVM, where it has one
};
inline constexpr std::array kWays{Way::kInterpreter, Way::kTranslator, Way::kDirect};  // of the bt engine
// "kvm_emulated" where the host's KVM emulates the guest's instructions: known_failures.txt tells the two apart.
const char* name_of(Way way);
// Why the kvm engine cannot be tested on this host with such a processor; empty when it can.
std::string why_no_kvm(const std::string& cpu_model = "host", bool avx2 = false);

class Machine {
 public:
  static Result<std::unique_ptr<Machine>> create(Way way, u32 cpu_count, const std::string& cpu_model);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  guest::GuestMemory& memory() { return memory_; }
  engine::Vcpu& cpu(u32 number = 0) { return *cpus_[number]; }
  // GDT, TSS and the flat 64-bit state that refers to them, seen at `tables` + their physical address; CR3 = kPml4.
  void write_tables(u64 tables);
  engine::CpuState flat_state(unsigned cpl, u64 tables);

  // Until a vCPU writes kExitPort. vCPU 0 runs on the calling thread.
  MachineRun run(int limit_ms);
  u8 exit_value() const { return exit_.value; }

  // Shows `look` the state of the first processor before each instruction of the next runs; false ends the run. Of the bt
  // engine.
  void trace(std::function<bool(const engine::CpuState&)> look);

 private:
  // Eight bytes of device memory.
  struct Device final : guest::BusDevice {
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;
    std::array<u8, 8> bytes{};
  };
  // What is written is read in the same order.
  struct QueuePort final : guest::BusDevice {
    u64 read(u64, unsigned size) override;
    void write(u64, unsigned size, u64 value) override;
    std::deque<u8> bytes;
  };
  // A byte written sends that vector as a level-triggered message to processor 0; read, the vector that ended last.
  struct LevelPort final : guest::BusDevice, engine::EoiListener {
    u64 read(u64, unsigned) override { return ended; }
    void write(u64, unsigned, u64 vector) override;
    void on_eoi(u8 vector) override { ended = vector; }
    engine::Engine* engine = nullptr;
    std::atomic<u8> ended{0};
  };
  bool avx_ = false;  // the guest has AVX, and flat_state() switches it on
  struct ExitPort final : guest::BusDevice {
    u64 read(u64, unsigned) override { return 0xFF; }
    void write(u64 offset, unsigned size, u64 value) override;
    Machine* machine = nullptr;
    std::atomic<bool> written{false};
    std::atomic<u8> value{0};
  };

  explicit Machine(guest::GuestMemory memory);
  void watch();
  void kick_all();
  MachineRun run_cpu(u32 number);

  guest::GuestMemory memory_;
  guest::Bus mmio_;
  guest::Bus ports_;
  ExitPort exit_;
  Device device_;
  QueuePort queue_;
  LevelPort level_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<engine::Vcpu*> cpus_;
  std::function<bool(const engine::CpuState&)> look_;  // may be empty

  // The watchdog kicks when deadline_ms_ (CLOCK_MONOTONIC; 0 = nothing runs) has passed.
  std::atomic<u64> deadline_ms_{0};
  std::atomic<bool> late_{false};
  std::atomic<bool> over_{false};  // one vCPU ended the run for all
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;  // guarded by mutex_
  std::thread watchdog_;
};

}  // namespace pileus::cpu_test
