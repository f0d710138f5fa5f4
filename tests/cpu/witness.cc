#include "witness.h"

#include <fmt/format.h>

#include "debug/guest_virtual.h"

namespace pileus::cpu_test {

namespace {

constexpr unsigned kMostSteps = 100'000;  // of a test that waits in a loop
constexpr unsigned kExceptions = 32;
constexpr u64 kPe = 1, kPg = u64{1} << 31, kPae = 1U << 5, kLma = 0x400;
constexpr u32 kLongCode = 0x2000, kBigCode = 0x4000;
constexpr u64 kApicEnabled = 0x800, kX2apic = 0x400;

unsigned code_bits(const engine::CpuState& state) {
  const u32 code = state.segment[engine::kCs].attributes;
  if ((state.efer & kLma) != 0 && (code & kLongCode) != 0) return 64;
  return (code & kBigCode) != 0 ? 32 : 16;
}

unsigned cpl_of(const engine::CpuState& state) {
  return (state.cr0 & kPe) == 0 ? 0 : state.segment[engine::kSs].attributes >> 5 & 3;
}

std::size_t read(const guest::GuestMemory& memory, const engine::CpuState& state, u64 linear, std::span<u8> out) {
  return debug::read_virtual(memory, debug::AddressSpace::of(state), linear, out);
}

}  // namespace

Witness::Witness() {
  ZydisDecoderInit(&decoders_[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderInit(&decoders_[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
  ZydisDecoderInit(&decoders_[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

void Witness::watch(Machine& machine) {
  last_.reset();
  machine.trace([this, &memory = machine.memory(), steps = 0U](const engine::CpuState& state) mutable {
    look(memory, state);
    return ++steps < kMostSteps;
  });
}

const ZydisDecoder& Witness::decoder_for(const engine::CpuState& state) const {
  const unsigned bits = code_bits(state);
  return decoders_[bits == 64 ? 2 : bits == 32 ? 1 : 0];
}

void Witness::note_mode(const engine::CpuState& state) {
  const bool paging = (state.cr0 & kPg) != 0;
  const char* tables = !paging                    ? "no paging"
                       : (state.efer & kLma) != 0 ? "4-level paging"
                       : (state.cr4 & kPae) != 0  ? "PAE paging"
                                                  : "32-bit paging";
  const bool real = (state.cr0 & kPe) == 0;
  modes.insert(fmt::format("{}{}-bit, {}", real ? "real " : "", code_bits(state), tables));
  const u64 apic = state.lapic.base_msr;
  modes.insert((apic & kApicEnabled) == 0 ? "no APIC" : (apic & kX2apic) != 0 ? "x2APIC" : "xAPIC");
}

// Whether an exception's handler starts here.
bool Witness::note_handler(const guest::GuestMemory& memory, const engine::CpuState& state) {
  const bool wide = (state.efer & kLma) != 0;
  const u64 size = wide ? 16 : 8;
  std::array<u8, kExceptions * 16> table{};
  if ((state.cr0 & kPe) == 0) return false;
  const std::size_t got = read(memory, state, state.idtr.base, {table.data(), kExceptions * size});
  for (unsigned vector = 0; (vector + 1) * size <= got; ++vector) {
    const u8* gate = table.data() + vector * size;
    u64 low = 0, high = 0;
    std::memcpy(&low, gate, 8);
    if (wide) std::memcpy(&high, gate + 8, 4);
    const bool present = (low >> 47 & 1) != 0;
    const u64 offset = (low & 0xFFFF) | (low >> 48) << 16 | high << 32;
    if (!present || offset != state.rip) continue;
    vectors.insert(vector);
    return true;
  }
  return false;
}

void Witness::look(const guest::GuestMemory& memory, const engine::CpuState& state) {
  note_mode(state);
  const bool handler = note_handler(memory, state);
  const unsigned cpl = cpl_of(state);
  if (last_ && cpl != last_cpl_) {
    const bool event = handler && *last_ != ZYDIS_MNEMONIC_INT && *last_ != ZYDIS_MNEMONIC_INT3;
    transitions.insert(fmt::format("{} {} to {}", event ? "event" : ZydisMnemonicGetString(*last_), last_cpl_, cpl));
  }
  last_cpl_ = cpl;
  std::array<u8, 15> bytes{};
  const u64 base = code_bits(state) == 64 ? 0 : state.segment[engine::kCs].base;
  const std::size_t got = read(memory, state, base + state.rip, {bytes.data(), bytes.size()});
  ZydisDecodedInstruction info;
  last_.reset();
  if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder_for(state), nullptr, bytes.data(), got, &info))) return;
  instructions.insert(info.mnemonic);
  last_ = info.mnemonic;
}

}  // namespace pileus::cpu_test
