#include "generator.h"

#include <numeric>

#include "random_state.h"
#include "wanted.h"

namespace pileus::cpu_test {

namespace {

constexpr unsigned kMostUnits = 24;
constexpr unsigned kTries = 24;
constexpr unsigned kMayFault = 30;  // percent of the cases
constexpr unsigned kRcxNumber = 1, kRdxNumber = 2, kRspNumber = 4;
constexpr u64 kChangeableFlags = kArithmeticFlags | kDirectionFlag;

std::vector<Row> all_rows() {
  std::vector<Row> rows(std::begin(kRows), std::end(kRows));
  if (has_avx2()) rows.insert(rows.end(), std::begin(kVexRows), std::end(kVexRows));
  return rows;
}

const Row& random_row(Random& random) {
  static const std::vector<Row> rows = all_rows();
  static const unsigned total =
      std::accumulate(rows.begin(), rows.end(), 0U, [](unsigned sum, const Row& row) { return sum + row.weight; });
  u64 at = random.below(total);
  for (const Row& row : rows) {
    if (at < row.weight) return row;
    at -= row.weight;
  }
  return rows[0];
}

bool is_vex(Map map) { return map >= Map::kVex0F; }

void append(Unit* unit, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) unit->bytes.push_back(static_cast<u8>(byte));
}
void append_number(Unit* unit, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) unit->bytes.push_back(static_cast<u8>(value >> (8 * i)));
}
void append_unit(Unit* unit, const Unit& more) {
  const auto base = static_cast<unsigned>(unit->bytes.size());
  unit->bytes.insert(unit->bytes.end(), more.bytes.begin(), more.bytes.end());
  for (Fixup fixup : more.fixups) {
    fixup.offset += base;
    fixup.end += base;
    unit->fixups.push_back(fixup);
  }
}
unsigned size_of(const Unit& unit) { return static_cast<unsigned>(unit.bytes.size()); }

bool is_string(const Step& step) { return step.info.meta.category == ZYDIS_CATEGORY_STRINGOP; }
bool is_repeated(const Step& step) {
  return is_string(step) &&
         (step.info.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
}

}  // namespace

FuzzCase Generator::make() {
  const Registers registers = random_registers(random_);
  case_.state = registers.state;
  pointers_ = registers.pointers;
  smalls_ = registers.smalls;
  case_.may_fault = random_.chance(kMayFault);
  const std::size_t count = 1 + random_.below(kMostUnits);
  for (unsigned tries = 0; case_.units.size() < count && tries < 4 * kMostUnits; ++tries) {
    Unit unit;
    const u32 pointers = pointers_;
    const u32 smalls = smalls_;
    if (add_random(&unit) && keep_if_defined(unit)) continue;
    pointers_ = pointers;
    smalls_ = smalls;
  }
  return case_;
}

// A unit that reads undefined flags gets ones that are defined, by ADD AL, imm8 before it.
bool Generator::keep_if_defined(const Unit& unit) {
  const auto is_defined = [&] {
    const auto code = assemble(case_);
    return code && undefined_flags(decode_steps(*code, case_.state.rip));
  };
  case_.units.push_back(unit);
  if (is_defined()) return true;
  case_.units.pop_back();
  Unit definer;
  append(&definer, {0x04, random_.byte()});
  case_.units.push_back(definer);
  Unit later = unit;
  for (Fixup& fixup : later.fixups) fixup.target += fixup.to_unit ? 1 : 0;
  case_.units.push_back(later);
  if (is_defined()) return true;
  case_.units.pop_back();
  case_.units.pop_back();
  return false;
}

bool Generator::add_random(Unit* unit) {
  const u64 kind = random_.below(100);
  if (kind < 84) return add_instruction(unit, {});
  if (kind < 88) add_branch(unit);
  else if (kind < 89) add_jump(unit);
  else if (kind < 91) return add_loop(unit);
  else if (kind < 93) return add_call(unit);
  else if (kind < 94) return add_indirect_jump(unit);
  else if (kind < 96) return add_segment_base(unit);
  else if (kind < 98) add_pop_flags(unit);
  else add_x87_state(unit);
  return true;
}

bool Generator::add_instruction(Unit* unit, const Wish& wish) {
  for (unsigned tries = 0; tries < kTries; ++tries) {
    Unit one;
    encode(random_row(random_), wish, &one);
    Step step;
    if (!decode_step(one.bytes.data(), one.bytes.size(), 0, &step)) continue;
    if (step.info.length != one.bytes.size() || !is_wanted(step)) continue;
    const std::size_t before = unit->bytes.size();
    const std::size_t fixups = unit->fixups.size();
    if (add_operands(step, wish, unit)) {
      append_unit(unit, one);
      note_writes(step);
      return true;
    }
    unit->bytes.resize(before);
    unit->fixups.resize(fixups);
  }
  return false;
}

// Prefixes, REX, opcode, ModRM and so on, not looking at whether that is an instruction.
void Generator::encode(const Row& row, const Wish& wish, Unit* out) {
  const auto opcode = static_cast<u8>(row.first + random_.below(static_cast<unsigned>(row.last - row.first) + 1U));
  const bool sized = (row.prefixes & kSized) != 0;
  bool narrow = sized && random_.chance(20);
  bool wide = random_.chance(sized ? 45 : 6);
  const bool short_address = random_.chance(3);
  unsigned mandatory = 0;
  if (const u8 choices = row.prefixes & kVector; choices != 0) {
    constexpr std::array<unsigned, 4> kPrefix{0, 0x66, 0xF2, 0xF3};
    std::size_t at = random_.below(4);
    while ((choices >> at & 1) == 0) at = (at + 1) % 4;
    mandatory = kPrefix[at];
  }
  if (wish.segment != 0) append(out, {wish.segment});
  else if (random_.chance(3)) append(out, {std::array<unsigned, 4>{0x26, 0x2E, 0x36, 0x3E}[random_.below(4)]});
  if (short_address) append(out, {0x67});
  const bool vex = is_vex(row.map);
  if (!vex && (narrow || mandatory == 0x66)) append(out, {0x66});
  if ((row.prefixes & kLock) != 0 && random_.chance(12)) append(out, {0xF0});
  if (!vex && (mandatory == 0xF2 || mandatory == 0xF3)) append(out, {mandatory});
  else if ((row.prefixes & kRepeat) != 0 && random_.chance(60)) append(out, {random_.chance(50) ? 0xF2U : 0xF3U});

  unsigned rex = (wide ? 0x48U : 0U) | (random_.chance(5) ? 0x40U : 0U);
  Unit tail;
  unsigned digit = 0;
  if (row.reg == kNoModRm) {
    if (random_.chance(30)) rex |= 0x41;
  } else {
    digit = row.reg >= 0 ? static_cast<unsigned>(row.reg) : random_.up_to(7);
    const unsigned reg = digit | (random_.chance(45) ? 8U : 0U);
    if (reg >= 8) rex |= 0x44;
    if (wish.memory || random_.chance(50)) {
      encode_memory(digit, wish, &rex, &tail);
    } else {
      const unsigned rm = random_.up_to(15);
      if (rm >= 8) rex |= 0x41;
      append(&tail, {0xC0 | digit << 3 | (rm & 7)});
    }
  }
  add_immediate(row, digit, wide, narrow, short_address, &tail);
  if (vex) encode_vex(row.map, mandatory, rex, out);
  else encode_map(row.map, rex, out);
  append(out, {opcode});
  append_unit(out, tail);
  for (Fixup& fixup : out->fixups) fixup.end = size_of(*out);  // relative to the next instruction
}

// The three-byte VEX prefix with a length and a second source by chance.
void Generator::encode_vex(Map map, unsigned mandatory, unsigned rex, Unit* out) {
  const unsigned pp = mandatory == 0x66 ? 1 : mandatory == 0xF3 ? 2 : mandatory == 0xF2 ? 3 : 0;
  const unsigned wide = random_.chance(40) ? 0x80 : 0;
  const unsigned source = random_.chance(70) ? random_.up_to(15) : 0;
  const unsigned length = random_.chance(50) ? 4 : 0;
  const unsigned number = map == Map::kVex0F ? 1 : map == Map::kVex0F38 ? 2 : 3;
  append(out, {0xC4, (~rex & 7) << 5 | number, wide | (~source & 15) << 3 | length | pp});
}

void Generator::encode_map(Map map, unsigned rex, Unit* out) {
  if (rex != 0) append(out, {rex});
  if (map != Map::kOne) append(out, {0x0F});
  if (map == Map::k0F38) append(out, {0x38});
  if (map == Map::k0F3A) append(out, {0x3A});
}

// ModRM, SIB and displacement.
void Generator::encode_memory(unsigned reg, const Wish& wish, unsigned* rex, Unit* tail) {
  const u64 form = random_.below(100);
  if (wish.segment != 0) {  // [disp32], near the base of the segment
    append(tail, {reg << 3 | 4, 0x25});
    append_number(tail, random_.below(64), 4);
    return;
  }
  if (form < 12) {  // [rip + disp32]
    append(tail, {reg << 3 | 5});
    tail->fixups.push_back({size_of(*tail), 4, 0, false, random_pointer(random_)});
    append_number(tail, 0, 4);
    return;
  }
  if (form < 18) {  // [disp32]
    append(tail, {reg << 3 | 4, 0x25});
    append_number(tail, random_pointer(random_), 4);
    return;
  }
  const auto choose = [&](u32 preferred) {
    unsigned number = random_.up_to(15);
    for (unsigned i = 0; i < 16 && random_.chance(90) && (preferred >> number & 1) == 0; ++i)
      number = (number + 1) % 16;
    return number;
  };
  const unsigned base = choose(pointers_);
  const bool indexed = (base & 7) == 4 || random_.chance(35);
  unsigned index = 4;  // none
  if (indexed && random_.chance(85)) index = choose(smalls_);
  const u64 size = random_.below(10);
  unsigned mode = size < 3 ? 0 : size < 8 ? 1 : 2;
  if (mode == 0 && (base & 7) == 5) mode = 1;
  if (base >= 8) *rex |= 0x41;
  append(tail, {mode << 6 | reg << 3 | (indexed ? 4 : base & 7)});
  if (indexed) {
    if (index >= 8) *rex |= 0x42;
    append(tail, {random_.up_to(3) << 6 | (index & 7) << 3 | (base & 7)});
  }
  const u64 displacement = random_.chance(4) ? random_value(random_) : random_.below(160) - 64;
  if (mode == 1) append_number(tail, displacement, 1);
  if (mode == 2) append_number(tail, displacement, 4);
}

void Generator::add_immediate(const Row& row, unsigned digit, bool wide, bool narrow, bool short_address, Unit* tail) {
  const unsigned full = narrow && !wide ? 2 : 4;
  switch (row.immediate) {
    case Immediate::kNone: return;
    case Immediate::k8: append_number(tail, random_.chance(40) ? random_small(random_) : random_.next(), 1); return;
    case Immediate::k16: append_number(tail, random_.next(), 2); return;
    case Immediate::kFull: append_number(tail, random_value(random_), full); return;
    case Immediate::kWhole: append_number(tail, random_value(random_), wide ? 8 : full); return;
    case Immediate::kUnary:  // the byte form is told from the other by trying: add_instruction() checks the length
      if (digit < 2) append_number(tail, random_value(random_), random_.chance(50) ? 1 : full);
      return;
    case Immediate::kEnter:
      append_number(tail, random_.below(random_.chance(80) ? 256 : 65536), 2);
      append_number(tail, random_.chance(60) ? 0 : random_.below(random_.chance(80) ? 4 : 256), 1);
      return;
    case Immediate::kAddress: append_number(tail, random_pointer(random_), short_address ? 4 : 8); return;
  }
}

// Loads of registers that let the instruction find memory, or have something to do, most of the time.
bool Generator::add_operands(const Step& step, const Wish& wish, Unit* unit) {
  for (unsigned i = 0; i < step.info.operand_count; ++i) {
    const ZydisDecodedOperand& operand = step.operand[i];
    const bool written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    const unsigned reg = operand.type == ZYDIS_OPERAND_TYPE_REGISTER ? general_register(operand.reg.value) : 16;
    if (written && reg < 16 && (wish.keep >> reg & 1) != 0) return false;
    const bool moves_stack = written && reg == kRspNumber && operand.visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
    if (moves_stack && random_.chance(80)) return false;
  }
  for (unsigned i = 0; i < step.info.operand_count; ++i) {
    const ZydisDecodedOperand& operand = step.operand[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN) continue;
    const unsigned base = general_register(operand.mem.base);
    const unsigned index = general_register(operand.mem.index);
    if (index < 16 && index != base && (smalls_ >> index & 1) == 0 && random_.chance(80) &&
        !load(index, random_small(random_), wish, unit)) {
      return false;
    }
    if (base < 16 && base != kRspNumber && (pointers_ >> base & 1) == 0 && random_.chance(85) &&
        !load(base, random_pointer(random_), wish, unit)) {
      return false;
    }
  }
  if (is_repeated(step) && ((smalls_ >> kRcxNumber & 1) == 0 || random_.chance(50)) && random_.chance(93) &&
      !load(kRcxNumber, random_.below(20), wish, unit)) {
    return false;
  }
  // With 32-bit addresses it is the processor's choice when the upper halves of what counts are cleared: they are first.
  if (is_repeated(step) && step.info.address_width == 32) append(unit, {0x89, 0xC9, 0x89, 0xF6, 0x89, 0xFF});
  const bool divides = step.info.mnemonic == ZYDIS_MNEMONIC_DIV || step.info.mnemonic == ZYDIS_MNEMONIC_IDIV;
  return !divides || random_.chance(40) || load(kRdxNumber, random_.below(3), wish, unit);
}

// MOV r32, imm32.
bool Generator::load(unsigned reg, u64 value, const Wish& wish, Unit* unit) {
  if ((wish.keep >> reg & 1) != 0) return false;
  if (reg >= 8) append(unit, {0x41});
  append(unit, {0xB8 | (reg & 7)});
  append_number(unit, value, 4);
  const u32 bit = 1U << reg;
  const bool small = value < 256;
  smalls_ = small ? smalls_ | bit : smalls_ & ~bit;
  pointers_ = small ? pointers_ & ~bit : pointers_ | bit;
  return true;
}

void Generator::note_writes(const Step& step) {
  for (unsigned i = 0; i < step.info.operand_count; ++i) {
    const ZydisDecodedOperand& operand = step.operand[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) continue;
    const unsigned reg = general_register(operand.reg.value);
    if (reg >= 16 || reg == kRspNumber || (is_string(step) && reg >= 6)) continue;
    pointers_ &= ~(1U << reg);
    smalls_ &= ~(1U << reg);
  }
}

// Jcc, JRCXZ or JECXZ to one of the next units.
void Generator::add_branch(Unit* unit) {
  const u64 target = case_.units.size() + 1 + random_.below(3);
  const unsigned condition = random_.up_to(15);
  if (random_.chance(15)) {
    if (random_.chance(30)) append(unit, {0x67});
    append(unit, {0xE3, 0});
    unit->fixups.push_back({size_of(*unit) - 1, 1, size_of(*unit), true, target});
  } else if (random_.chance(50)) {
    append(unit, {0x70 | condition, 0});
    unit->fixups.push_back({1, 1, 2, true, target});
  } else {
    append(unit, {0x0F, 0x80 | condition, 0, 0, 0, 0});
    unit->fixups.push_back({2, 4, 6, true, target});
  }
}

void Generator::add_jump(Unit* unit) {
  const u64 target = case_.units.size() + 1 + random_.below(3);
  const bool small = random_.chance(50);
  append(unit, {small ? 0xEBU : 0xE9U});
  append_number(unit, 0, small ? 1 : 4);
  unit->fixups.push_back({1, small ? 1U : 4U, size_of(*unit), true, target});
}

// MOV ECX, n; one or two instructions; LOOP or DEC ECX and JNZ back to them.
bool Generator::add_loop(Unit* unit) {
  load(kRcxNumber, 1 + random_.below(6), {}, unit);
  const unsigned start = size_of(*unit);
  const Wish wish{1U << kRcxNumber | 1U << kRspNumber, 0, false};
  for (u64 left = 1 + random_.below(2); left != 0; --left) {
    if (!add_instruction(unit, wish)) return false;
  }
  if (random_.chance(40)) append(unit, {0xFF, 0xC9, 0x75, 0});  // DEC ECX; JNZ
  else append(unit, {0xE0 + random_.up_to(2), 0});  // LOOPNE LOOPE LOOP
  const unsigned length = size_of(*unit) - start;
  if (length > 128) return false;
  unit->bytes.back() = static_cast<u8>(-static_cast<int>(length));
  return true;
}

// A call, a jump over the callee, the callee.
bool Generator::add_call(Unit* unit) {
  Unit callee;
  if (random_.chance(60) && !add_instruction(&callee, {1U << kRspNumber, 0, false})) return false;
  if (random_.chance(30)) append(&callee, {0xC2, random_.up_to(3) * 8, 0});
  else append(&callee, {0xC3});
  if (size_of(callee) > 100) return false;
  const u64 kind = random_.below(3);
  const unsigned reg = random_.up_to(15) & 11;  // not RSP, RBP and their like
  if (kind == 0) {
    append(unit, {0xE8, 2, 0, 0, 0});
  } else {  // LEA reg, [rip + behind the jump]; CALL reg, or PUSH reg and CALL [rsp]
    append(unit, {reg >= 8 ? 0x4CU : 0x48U, 0x8D, (reg & 7) << 3 | 5});
    Unit call;
    if (reg >= 8) append(&call, {0x41});
    if (kind == 1) append(&call, {0xFF, 0xD0 | (reg & 7)});
    else append(&call, {0x50 | (reg & 7), 0xFF, 0x14, 0x24});
    append_number(unit, size_of(call) + 2, 4);
    append_unit(unit, call);
    pointers_ &= ~(1U << reg);
    smalls_ &= ~(1U << reg);
  }
  append(unit, {0xEB, size_of(callee)});
  append_unit(unit, callee);
  return true;
}

// LEA reg, [rip + 3]; JMP reg, or PUSH reg and RET; INT3.
bool Generator::add_indirect_jump(Unit* unit) {
  const unsigned reg = random_.up_to(7) & 3;
  append(unit, {0x48, 0x8D, reg << 3 | 5, 3, 0, 0, 0});
  if (random_.chance(60)) append(unit, {0xFF, 0xE0 | reg, 0xCC});
  else append(unit, {0x50 | reg, 0xC3, 0xCC});
  pointers_ &= ~(1U << reg);
  smalls_ &= ~(1U << reg);
  return true;
}

// MOV reg, base; WRFSBASE or WRGSBASE reg; an instruction with that segment; perhaps RDxSBASE.
bool Generator::add_segment_base(Unit* unit) {
  const bool gs = random_.chance(50);
  const unsigned reg = random_.up_to(3);
  load(reg, random_pointer(random_), {}, unit);
  append(unit, {0xF3, 0x48, 0x0F, 0xAE, 0xC0 | (gs ? 3U : 2U) << 3 | reg});
  if (!add_instruction(unit, {0, gs ? u8{0x65} : u8{0x64}, true})) return false;
  if (random_.chance(50)) {
    append(unit, {0xF3, 0x48, 0x0F, 0xAE, 0xC0 | (gs ? 1U : 0U) << 3 | reg});
    pointers_ &= ~(1U << reg);
    smalls_ &= ~(1U << reg);
  }
  return true;
}

// PUSH imm32; POPFQ, or the 16-bit forms.
void Generator::add_pop_flags(Unit* unit) {
  const u64 flags = (random_.next() & kChangeableFlags) | 0x202;
  const bool narrow = random_.chance(30);
  if (narrow) append(unit, {0x66});
  append(unit, {0x68});
  append_number(unit, flags, narrow ? 2 : 4);
  if (narrow) append(unit, {0x66});
  append(unit, {0x9D});
}

// FXSAVE and the like, at their images.
void Generator::add_x87_state(Unit* unit) {
  struct Form {
    u8 prefix;
    u8 opcode[2];
    u8 digit;
    u64 image;
  };
  constexpr std::array<Form, 12> kForms{{{0, {0x0F, 0xAE}, 0, kFxImage},
                                         {0, {0x0F, 0xAE}, 1, kFxImage},
                                         {0x48, {0x0F, 0xAE}, 0, kFxImage},
                                         {0x48, {0x0F, 0xAE}, 1, kFxImage},
                                         {0, {0xD9, 0}, 6, kEnvironment32},
                                         {0, {0xD9, 0}, 4, kEnvironment32},
                                         {0, {0xDD, 0}, 6, kEnvironment32},
                                         {0, {0xDD, 0}, 4, kEnvironment32},
                                         {0x66, {0xD9, 0}, 6, kEnvironment16},
                                         {0x66, {0xD9, 0}, 4, kEnvironment16},
                                         {0x66, {0xDD, 0}, 6, kEnvironment16},
                                         {0x66, {0xDD, 0}, 4, kEnvironment16}}};
  const Form& form = random_.pick(std::span<const Form>(kForms));
  if (form.prefix != 0) append(unit, {form.prefix});
  append(unit, {form.opcode[0]});
  if (form.opcode[1] != 0) append(unit, {form.opcode[1]});
  append(unit, {form.digit << 3U | 5U});
  unit->fixups.push_back({size_of(*unit), 4, size_of(*unit) + 4, false, form.image});
  append_number(unit, 0, 4);
}

}  // namespace pileus::cpu_test
