#include "instruction_tables.h"

#include <span>

#include "opcode_table.h"
#include "wanted.h"

namespace pileus::cpu_test {

namespace {

// One choice of everything that an encoding has beside its row and opcode.
struct Form {
  unsigned prefix = 0;
  bool wide = false;     // REX.W or VEX.W
  bool narrow = false;   // 66, for the operand size
  unsigned length = 0;   // VEX.L
  unsigned mod_rm = 0;
};

void append_map(Map map, const Form& form, std::vector<u8>* out) {
  const auto put = [&](unsigned byte) { out->push_back(static_cast<u8>(byte)); };
  const unsigned pp = form.prefix == 0x66 ? 1 : form.prefix == 0xF3 ? 2 : form.prefix == 0xF2 ? 3 : 0;
  switch (map) {
    case Map::kVex0F:
    case Map::kVex0F38:
    case Map::kVex0F3A: {
      const unsigned number = map == Map::kVex0F ? 1 : map == Map::kVex0F38 ? 2 : 3;
      // With a second source, else without: is_wanted() tells which is one.
      for (const unsigned byte :
           {0xC4U, 0xE0U | number, (form.wide ? 0x80U : 0U) | (form.narrow ? 0x70U : 0x78U) | form.length << 2 | pp}) {
        put(byte);
      }
      return;
    }
    default: break;
  }
  if (form.narrow || form.prefix == 0x66) put(0x66);
  if (form.prefix == 0xF2 || form.prefix == 0xF3) put(form.prefix);
  if (form.wide) put(0x48);
  if (map != Map::kOne) put(0x0F);
  if (map == Map::k0F38) put(0x38);
  if (map == Map::k0F3A) put(0x3A);
}

void add(const Row& row, unsigned opcode, const Form& form, Mnemonics* out) {
  std::vector<u8> bytes;
  append_map(row.map, form, &bytes);
  bytes.push_back(static_cast<u8>(opcode));
  bytes.push_back(static_cast<u8>(form.mod_rm));
  bytes.resize(15);
  Step step;
  if (decode_step(bytes.data(), bytes.size(), 0, &step) && is_wanted(step)) out->insert(step.info.mnemonic);
}

void add_row(const Row& row, Mnemonics* out) {
  constexpr u8 kChoices[] = {kPlain, k66, kF2, kF3};
  constexpr unsigned kPrefix[] = {0, 0x66, 0xF2, 0xF3};
  for (unsigned opcode = row.first; opcode <= row.last; ++opcode) {
    for (unsigned i = 0; i < 4; ++i) {
      const bool chosen = (row.prefixes & kVector) == 0 ? i == 0 : (row.prefixes & kChoices[i]) != 0;
      if (!chosen && !((row.prefixes & kSized) != 0 && i == 0)) continue;
      for (unsigned variant = 0; variant < 8; ++variant) {
        for (unsigned mod_rm = 0; mod_rm < 256; ++mod_rm) {
          const unsigned mod = mod_rm >> 6, digit = mod_rm >> 3 & 7;
          if ((mod != 0 && mod != 3) || (row.reg >= 0 && digit != static_cast<unsigned>(row.reg))) continue;
          add(row, opcode, {kPrefix[i], (variant & 1) != 0, (variant & 2) != 0, variant >> 2, mod_rm}, out);
        }
      }
    }
  }
}

}  // namespace

Mnemonics interpreted_mnemonics() {
  return {
#define X(mnemonic, handler) ZYDIS_MNEMONIC_##mnemonic,
#include "engine/bt/interp_table.inc"
#undef X
  };
}

Mnemonics fuzzed_mnemonics() {
  Mnemonics out;
  for (const Row& row : kRows) add_row(row, &out);
  for (const Row& row : kVexRows) add_row(row, &out);
  return out;
}

}  // namespace pileus::cpu_test
