#include "user_guest.h"

#include <algorithm>
#include <cstring>

namespace pileus::cpu_test {

namespace {

constexpr u64 kPage = 4096;
// Virtual address of physical address 0, for CPL 0 alone; one that no test comes across by chance.
constexpr u64 kMonitor = 0xFFFFC35A80000000;
constexpr u64 kArenaPhysical = 4 * kMiB;
constexpr u64 kArenaPages = kArenaBytes / kPage;
constexpr u64 kScatter = 37;  // coprime to kArenaPages
static_assert(kArenaPages % kScatter != 0 && kArenaPages == 96);
constexpr u8 kVectorPf = 14;
constexpr u64 kStubBytes = 16;
constexpr u64 kFrameBytes = 40;  // RIP, CS, RFLAGS, RSP, SS

u64 physical(u64 address) {
  u64 before = 0;
  for (const Stretch& stretch : kArena) {
    if (address >= stretch.base && address - stretch.base < stretch.size) {
      const u64 page = (before + address - stretch.base) / kPage;
      return kArenaPhysical + page * kScatter % kArenaPages * kPage + address % kPage;
    }
    before += stretch.size;
  }
  CHECK(false && "not in the arena");
  return 0;
}

template <typename Bytes, typename Work>
void by_page(u64 address, Bytes bytes, Work work) {
  while (!bytes.empty()) {
    const u64 size = std::min<u64>(bytes.size(), kPage - address % kPage);
    work(physical(address), bytes.first(size));
    bytes = bytes.subspan(size);
    address += size;
  }
}

}  // namespace

Result<std::unique_ptr<UserGuest>> UserGuest::create(Way way, unsigned cpl) {
  std::unique_ptr<Machine> machine = TRY(Machine::create(way, 1, "host"));
  std::unique_ptr<UserGuest> self(new UserGuest(std::move(machine)));
  self->machine_->write_tables(kMonitor);
  self->map_arena();
  self->write_idt();
  self->base_ = self->machine_->flat_state(cpl, kMonitor);
  return self;
}

void UserGuest::map_arena() {
  PageTables tables(machine_->memory());
  tables.map_large(kMonitor, 0, kPresent | kWritable);
  for (const Stretch& stretch : kArena) {
    for (u64 at = stretch.base; at < stretch.base + stretch.size; at += kPage) {
      tables.map(at, physical(at), kPresent | kWritable | kUser | (stretch.base == kCode.base ? 0 : kNoExecute));
    }
  }
}

void UserGuest::write_idt() {
  for (u64 vector = 0; vector < 256; ++vector) {
    const u64 stub = kMonitor + kStubs + vector * kStubBytes;
    u8* code = machine_->memory().host(kStubs + vector * kStubBytes, kStubBytes);
    std::memcpy(code, kExitCode.data(), kExitCode.size());
    const bool callable = vector == 3 || vector == 4;  // by INT3 at CPL 3
    const u64 attributes = callable ? 0xEE : 0x8E;
    const std::array<u64, 2> gate{
        (stub & 0xFFFF) | u64{kKernelCode} << 16 | u64{1} << 32 | attributes << 40 | (stub >> 16 & 0xFFFF) << 48,
        stub >> 32};
    std::memcpy(machine_->memory().host(kIdt + vector * 16, 16), gate.data(), 16);
  }
}

void UserGuest::write(u64 address, std::span<const u8> bytes) {
  by_page(address, bytes, [&](u64 at, std::span<const u8> piece) { CHECK(machine_->memory().write(at, piece)); });
}

void UserGuest::read(u64 address, std::span<u8> bytes) {
  by_page(address, bytes, [&](u64 at, std::span<u8> piece) { CHECK(machine_->memory().read(at, piece)); });
}

u8* UserGuest::host(u64 address) { return machine_->memory().host(physical(address), kPage - address % kPage); }

void UserGuest::written(u64 address, u64 length) { machine_->memory().written(physical(address), length); }

Outcome UserGuest::run(const UserState& state, int limit_ms) {
  base_.gpr = state.gpr;
  base_.rip = state.rip;
  base_.rflags = state.rflags;
  std::memcpy(base_.xsave.data(), state.fx.data(), state.fx.size());
  std::memcpy(base_.xsave.data() + kXsaveYmm, state.ymm.data(), state.ymm.size());
  base_.tsc = 0;  // goes on
  CHECK(machine_->cpu().set_state(base_).ok());

  Outcome out;
  const MachineRun run = machine_->run(limit_ms);
  out.ending = run.ending;
  const engine::CpuState end = machine_->cpu().state();
  out.state.gpr = end.gpr;
  out.state.rip = end.rip;
  out.state.rflags = end.rflags;
  std::memcpy(out.state.fx.data(), end.xsave.data(), out.state.fx.size());
  std::memcpy(out.state.ymm.data(), end.xsave.data() + kXsaveYmm, out.state.ymm.size());
  if (run.ending == Ending::kException) out.ending = Ending::kCrash;  // no guest should triple fault
  if (run.ending != Ending::kExit) return out;

  out.state.rip = end.rip - kExitCode.size();
  if (end.rip < kMonitor) return out;
  out.ending = Ending::kException;
  out.vector = static_cast<u8>((end.rip - kMonitor - kStubs) / kStubBytes);
  std::array<u64, kFrameBytes / 8> frame{};
  if (out.vector == kVectorPf) {
    out.cr2 = end.cr2;
    std::memcpy(&out.page_fault, machine_->memory().host(kIstTop - kFrameBytes - 8, 8), 4);
    out.page_fault &= kPageFaultAccess;
  }
  std::memcpy(frame.data(), machine_->memory().host(kIstTop - kFrameBytes, kFrameBytes), kFrameBytes);
  out.state.rip = frame[0];
  out.state.rflags = frame[2];
  out.state.gpr[engine::kRsp] = frame[3];
  return out;
}

}  // namespace pileus::cpu_test
