#include "debug/fuzz.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "debug/gdb/session.h"
#include "debug/guest_virtual.h"
#include "debug/profile/kallsyms.h"

namespace pileus::debug {

namespace {

constexpr u64 kRam = 1 * kMiB;

guest::GuestMemory& ram() {
  static guest::GuestMemory memory = [] {
    auto made = guest::GuestMemory::create(kRam, 3 * kGiB);
    CHECK(made.ok());
    return std::move(made).value();
  }();
  return memory;
}

// A guest that does as it is told, and stops again at once.
class ObedientTarget final : public gdb::Target {
 public:
  u32 cpu_count() const override { return 2; }
  engine::CpuState state(u32 cpu) const override { return states_[cpu]; }
  Result<> set_state(u32 cpu, const engine::CpuState& state) override {
    states_[cpu] = state;
    return {};
  }
  guest::GuestMemory& memory() override { return ram(); }
  void pause() override {}
  Result<> resume(const std::vector<gdb::Action>& actions, const std::vector<engine::Breakpoint>&) override {
    CHECK(actions.size() == cpu_count());
    return {};
  }
  void kill() override {}

 private:
  std::array<engine::CpuState, 2> states_;
};

}  // namespace

void fuzz_gdb_session(std::span<const u8> input) {
  ObedientTarget target;
  gdb::Session session(target, [](std::string_view) {});
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t half = bytes.size() / 2;
  if (!session.receive(bytes.substr(0, half))) return;
  session.on_stop(1, {engine::DebugStop::Cause::kBreakpoint, {engine::Breakpoint::Kind::kWrite, 0x1000, 1}});
  if (session.receive(bytes.substr(half))) session.on_end();
}

void fuzz_kallsyms(std::span<const u8> input) {
  const auto table = parse_kallsyms(input);
  if (!table) return;
  for (const Symbol& symbol : table->symbols()) CHECK(!table->find(symbol.address).empty());
}

void fuzz_page_tables(std::span<const u8> input) {
  const std::size_t size = std::min<std::size_t>(input.size(), kRam);
  CHECK(ram().write(0, input.first(size)));
  AddressSpace space{.cr0 = 0x80000001, .cr3 = 0, .cr4 = 0x30, .efer = 0x500};
  if (size < 16) return;
  u64 va = 0;
  std::memcpy(&space.cr3, input.data(), 8);
  std::memcpy(&va, input.data() + 8, 8);
  std::array<u8, 64> out{};
  for (const AddressSpace& one :
       {space, AddressSpace{space.cr0, space.cr3, 0x1030, 0x500}, AddressSpace{space.cr0, space.cr3, 0x30, 0},
        AddressSpace{space.cr0, space.cr3, 0x10, 0}}) {
    CHECK(read_virtual(ram(), one, va, out) <= out.size());
    if (!write_virtual(ram(), one, va, out)) continue;
    // What could be written can be read, unless it was a table.
    static_cast<void>(read_virtual(ram(), one, va, out));
  }
}

}  // namespace pileus::debug
