// Moves of which a mask says what is accessed, and gathers (Intel SDM vol. 2). What is left out must not fault.
#include <algorithm>
#include <cstring>

#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kVectorBytes = 32;
using Vector32 = std::array<u8, kVectorBytes>;

Vector32& vector_of(Exec& e, ZydisRegister reg) {
  return e.context.vector[static_cast<std::size_t>(ZydisRegisterGetId(reg))];
}
Vector32& vector_operand(Exec& e, unsigned i) { return vector_of(e, e.operand(i).reg.value); }

bool selects(const Vector32& mask, unsigned element, unsigned bytes) {
  return (mask[element * bytes + bytes - 1] & 0x80) != 0;
}

u64 element_of(const Vector32& from, unsigned element, unsigned bytes) {
  u64 value = 0;
  std::memcpy(&value, from.data() + u64{element} * bytes, bytes);
  return value;
}

void clear_above(Vector32& vector, unsigned bytes) { std::memset(vector.data() + bytes, 0, kVectorBytes - bytes); }

// Each element of a mask of `size` bytes all ones or zero, as its top bit is.
void extend(Vector32& mask, unsigned size, unsigned bytes) {
  for (unsigned i = 0; i < size / bytes; ++i)
    std::memset(mask.data() + u64{i} * bytes, selects(mask, i, bytes) ? 0xFF : 0, bytes);
  clear_above(mask, size);
}

}  // namespace

// MASKMOVQ, MASKMOVDQU and VMASKMOVDQU: the bytes whose byte in the mask has its top bit set, to DS:[RDI].
bool op_masked_move(Exec& e) {
  Context& context = e.context;
  const bool vex = e.insn.info.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
  if ((vex && !check_offered(e)) || !check_fpu_usable(e)) return false;
  const unsigned size = e.width(0) / 8;
  std::array<std::array<u8, 16>, 2> value{};  // data, mask
  for (unsigned i = 0; i < 2; ++i) {
    const auto number = static_cast<unsigned>(ZydisRegisterGetId(e.operand(i).reg.value));
    if (size == 16) {
      std::memcpy(value[i].data(), context.vector[number].data(), size);
      continue;
    }
    // MOVQ [RAX], mm: the host has the MMX registers.
    const std::array<u8, 3> store{0x0F, 0x7F, static_cast<u8>(number << 3)};
    Insn move;
    if (!decode(store.data(), store.size(), 64, &move)) return context.raise(kVectorUd);
    if (!execute_native(context, move, value[i].data())) return false;
  }
  ZydisRegister segment = ZYDIS_REGISTER_DS;
  for (unsigned i = 0; i < e.insn.info.operand_count; ++i) {
    if (e.is_memory(i)) segment = e.operand(i).mem.segment;
  }
  const u64 offset = context.gpr[kRdi] & mask_of(e.insn.info.address_width);
  u64 linear = 0;
  if (!linear_address(e, segment, offset, size, true, &linear)) return false;
  const Mode mode = context.mode();
  u8* host = nullptr;
  u64 gpa = 0;
  if (!pin_memory(context, linear, size, mode, &host, &gpa)) return false;
  for (unsigned i = 0; i < size; ++i) {
    if ((value[1][i] & 0x80) != 0 && !write_value(context, linear + i, value[0][i], mode)) return false;
  }
  return true;
}

bool op_vector_masked_move(Exec& e) {
  Context& context = e.context;
  if (!check_offered(e) || !check_fpu_usable(e)) return false;
  const ZydisMnemonic mnemonic = e.insn.info.mnemonic;
  const bool wide = mnemonic == ZYDIS_MNEMONIC_VMASKMOVPD || mnemonic == ZYDIS_MNEMONIC_VPMASKMOVQ;
  const unsigned bytes = wide ? 8 : 4;
  const bool store = e.is_memory(0);
  const unsigned size = e.width(store ? 2 : 0) / 8;
  const Vector32 mask = vector_operand(e, 1);
  const Mode mode = context.mode();
  // An element that is left out may have an address that is not canonical, too. One that lies beyond what the address size
  // reaches is not at its beginning: the operand is one piece.
  const ZydisDecodedOperandMem& mem = e.operand(store ? 0 : 2).mem;
  const u64 first = effective_address(e, mem);
  const auto address = [&](unsigned i, u64* linear) {
    return linear_address(e, mem.segment, first + u64{i} * bytes, bytes, store, linear);
  };
  Vector32 value{};
  u64 linear = 0;
  for (unsigned i = 0; i < size / bytes; ++i) {
    if (!selects(mask, i, bytes)) continue;
    if (!address(i, &linear)) return false;
    u8* host = nullptr;
    u64 gpa = 0;
    const bool fine = store ? pin_memory(context, linear, bytes, mode, &host, &gpa)
                            : read_memory(context, linear, value.data() + u64{i} * bytes, bytes, mode);
    if (!fine) return false;
  }
  if (!store) {
    vector_operand(e, 0) = value;
    return true;
  }
  const Vector32& from = vector_operand(e, 2);
  for (unsigned i = 0; i < size / bytes; ++i) {
    if (!selects(mask, i, bytes)) continue;
    if (!address(i, &linear) || !write_memory(context, linear, from.data() + u64{i} * bytes, bytes, mode)) return false;
  }
  return true;
}

// A fault leaves what was gathered before it, with its part of the mask cleared, so that it is not gathered again. The rest of
// the mask is extended by then. What lies above the vectors is cleared with the first element: so do processors, where the manual
// has it done before.
bool op_gather(Exec& e) {
  Context& context = e.context;
  if (!check_offered(e) || !check_fpu_usable(e)) return false;
  const ZydisDecodedOperand& memory = e.operand(1);
  const ZydisDecodedOperandMem& mem = memory.mem;
  Vector32& to = vector_operand(e, 0);
  Vector32& mask = vector_operand(e, 2);
  const Vector32& index = vector_of(e, mem.index);
  if (&to == &mask || &to == &index || &mask == &index) return context.raise(kVectorUd);
  const unsigned bytes = memory.size / 8;
  unsigned index_bytes = 4;
  switch (e.insn.info.mnemonic) {
    case ZYDIS_MNEMONIC_VGATHERQPS:
    case ZYDIS_MNEMONIC_VGATHERQPD:
    case ZYDIS_MNEMONIC_VPGATHERQD:
    case ZYDIS_MNEMONIC_VPGATHERQQ: index_bytes = 8; break;
    default: break;
  }
  const unsigned index_width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, mem.index) / 8;
  const unsigned count = std::min(e.width(0) / 8 / bytes, index_width / index_bytes);
  const unsigned length = std::max(e.width(0) / 8, index_width);  // of the vectors
  extend(mask, length, bytes);
  for (unsigned i = 0; i < count; ++i) {
    if (!selects(mask, i, bytes)) continue;
    u64 at = element_of(index, i, index_bytes);
    if (index_bytes == 4) at = static_cast<u64>(static_cast<i64>(static_cast<i32>(at)));
    at = at * mem.scale + static_cast<u64>(mem.disp.has_displacement ? mem.disp.value : 0);
    if (mem.base != ZYDIS_REGISTER_NONE) at += read_register(context, mem.base);
    at &= mask_of(e.insn.info.address_width);
    u64 linear = 0;
    if (!linear_address(e, mem.segment, at, bytes, false, &linear)) return false;
    if (!read_memory(context, linear, to.data() + u64{i} * bytes, bytes, context.mode())) return false;
    std::memset(mask.data() + u64{i} * bytes, 0, bytes);
    clear_above(to, length);
  }
  clear_above(to, count * bytes);
  mask = {};
  return true;
}

}  // namespace pileus::engine::bt
