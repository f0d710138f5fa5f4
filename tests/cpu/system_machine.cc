#include "system_machine.h"

namespace pileus::cpu_test {

namespace {

constexpr u64 kLoad = kMiB;
constexpr u64 kStackTop = 0x180000;
constexpr u64 kSmallPages = 4 * kMiB;
constexpr u64 kRam = 16 * kMiB;

void map_memory(guest::GuestMemory& memory) {
  PageTables tables(memory);
  for (u64 at = 0; at < kSmallPages; at += 4096) tables.map(at, at, kPresent | kWritable);
  for (u64 at = kSmallPages; at < kRam; at += 2 * kMiB) tables.map_large(at, at, kPresent | kWritable);
}

}  // namespace

Result<std::unique_ptr<Machine>> make_system_machine(const TestFile& test, Way way) {
  std::unique_ptr<Machine> machine = TRY(Machine::create(way, test.expected.cpus, test.expected.cpu_model));
  map_memory(machine->memory());
  machine->write_tables(0);
  CHECK(machine->memory().write(kLoad, test.code));
  engine::CpuState start = machine->flat_state(0, 0);
  for (const engine::SegmentIndex data : {engine::kDs, engine::kEs}) start.segment[data] = start.segment[engine::kSs];
  start.rip = kLoad;
  start.rflags = 2;
  start.gpr.fill(0);
  start.gpr[engine::kRsp] = kStackTop;
  TRY(machine->cpu().set_state(start));
  return machine;
}

}  // namespace pileus::cpu_test
