#include "engine/bt/interp.h"

#include <algorithm>
#include <cstring>

#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kTf = 1U << 8, kRf = 1U << 16;
constexpr u64 kSingleStep = 1U << 14;  // DR6.BS
constexpr unsigned kMaxLength = 15;

using Table = std::array<Handler, ZYDIS_MNEMONIC_MAX_VALUE + 1>;

constexpr Table make_table() {
  Table table{};
#define X(mnemonic, handler) table[ZYDIS_MNEMONIC_##mnemonic] = handler;
#include "engine/bt/interp_table.inc"
#undef X
  return table;
}
constexpr Table kTable = make_table();

// MOVSD and CMPSD are string moves or SSE2 instructions by their encoding.
bool is_sse_namesake(const Insn& insn) {
  return (insn.info.mnemonic == ZYDIS_MNEMONIC_MOVSD || insn.info.mnemonic == ZYDIS_MNEMONIC_CMPSD) &&
         insn.info.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT;
}

const ZydisDecoder& decoder_for(unsigned code_bits) {
  static const auto decoders = [] {
    std::array<ZydisDecoder, 3> made;
    ZydisDecoderInit(&made[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    ZydisDecoderInit(&made[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    ZydisDecoderInit(&made[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    // No guest is offered these: on its processor their encodings are older instructions, most of them NOPs, and programs
    // rely on that. RDSSP is in every program that handles C++ exceptions.
    for (ZydisDecoder& decoder : made) {
      ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
      ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
      ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
      ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_WBNOINVD, ZYAN_FALSE);
    }
    return made;
  }();
  return decoders[code_bits == 64 ? 2 : code_bits == 32 ? 1 : 0];
}

unsigned code_bits(const Context& context) {
  if (context.code64()) return 64;
  return (context.segment[kCs].attributes & x86::kDefaultBig) != 0 ? 32 : 16;
}

StepResult result_of(const Context& context) {
  if (context.run_state == RunState::kShutdown) return StepResult::kShutdown;
  return context.run_state == RunState::kHalted ? StepResult::kHalt : StepResult::kNext;
}

DecodeCache::Entry& entry_for(Context& context, u64 linear) {
  return context.decoded->entry[(linear ^ linear >> 6) % context.decoded->entry.size()];
}

// The instruction at CS:RIP, in the decode cache; nullptr: a fault.
const Insn* fetch(Context& context) {
  std::array<u8, kMaxLength> bytes{};
  unsigned got = 0;
  const unsigned bits = code_bits(context);
  const u64 rip = context.rip & code_mask(context);
  const u64 linear = bits == 64 ? rip : (context.segment[kCs].base + rip) & 0xFFFFFFFF;
  const auto fault = [](bool) { return nullptr; };
  if (bits != 64 && rip > context.segment[kCs].limit) return fault(context.raise(kVectorGp, 0));
  if (has_breakpoints(context) && !check_instruction_breakpoints(context, linear)) return nullptr;
  if (!fetch_code(context, linear, bytes.data(), kMaxLength, &got)) return nullptr;

  DecodeCache::Entry& entry = entry_for(context, linear);
  if (entry.code_bits == bits && entry.bytes == bytes) return &entry.insn;
  entry.code_bits = 0;
  if (decode(bytes.data(), got, bits, &entry.insn)) {
    entry.bytes = bytes;
    entry.code_bits = static_cast<u8>(bits);
    return &entry.insn;
  }
  if (got == kMaxLength) return fault(context.raise(kVectorUd));
  // The instruction may reach into the page that could not be fetched: then that page faults.
  ZydisDecodedInstruction partial;
  const ZyanStatus status = ZydisDecoderDecodeInstruction(&decoder_for(bits), nullptr, bytes.data(), got, &partial);
  if (status != ZYDIS_STATUS_NO_MORE_DATA) return fault(context.raise(kVectorUd));
  u8 next = 0;
  return fault(fetch_code(context, linear + got, &next, 1, &got) && context.raise(kVectorUd));
}

}  // namespace

const Insn* find_decoded(Context& context) {
  std::array<u8, kMaxLength> bytes{};
  unsigned got = 0;
  if (!fetch_code(context, context.rip, bytes.data(), kMaxLength, &got)) return nullptr;
  const DecodeCache::Entry& entry = entry_for(context, context.rip);
  return entry.code_bits == 64 && entry.bytes == bytes ? &entry.insn : nullptr;
}

Handler handler_of(const Insn& insn) {
  if (is_sse_namesake(insn)) return op_native;
  const Handler handler = kTable[insn.info.mnemonic];
  return handler != nullptr ? handler : op_native;
}

bool decode(const u8* bytes, unsigned length, unsigned bits, Insn* insn) {
  if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder_for(bits), bytes, length, &insn->info, insn->operand.data()))) {
    return false;
  }
  insn->bytes = {};
  std::memcpy(insn->bytes.data(), bytes, std::min<std::size_t>(insn->info.length, insn->bytes.size()));
  return true;
}

StepResult execute(Context& context, const Insn& insn) {
  ++context.stats.interpreted;
  context.doing(Activity::kInterpret);
  const bool single_step = (context.rflags & kTf) != 0;
  Exec e{context, insn, (context.rip + insn.info.length) & code_mask(context)};
  if (!context.shadow) context.breakpoints_hit = 0;  // MOV SS holds them back for one instruction
  if (!handler_of(insn)(e)) {
    deliver_fault(context);
    return result_of(context);
  }
  if (!e.repeat) {
    context.rip = e.next;
    context.shadow = e.shadow;
  }
  const bool returned = insn.info.mnemonic == ZYDIS_MNEMONIC_IRET || insn.info.mnemonic == ZYDIS_MNEMONIC_IRETD ||
                        insn.info.mnemonic == ZYDIS_MNEMONIC_IRETQ;
  if (!returned && !e.repeat) context.rflags &= ~kRf;
  if (e.shadow) return result_of(context);
  bool trap = take_breakpoint_trap(context);
  if (single_step && (!e.repeat || e.stepped)) {
    context.dr[6] |= kSingleStep;
    trap = true;
  }
  if (trap) {
    context.fault = {kVectorDb, false, 0, 0};
    deliver_fault(context);
  }
  return result_of(context);
}

StepResult step(Context& context) {
  const Insn* insn = fetch(context);
  if (insn != nullptr) return execute(context, *insn);
  deliver_fault(context);
  return result_of(context);
}

}  // namespace pileus::engine::bt
