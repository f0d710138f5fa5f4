// Generator: makes the cases of the differential fuzzer. A case depends on seed and index alone.
#pragma once

#include "fuzz_case.h"
#include "opcode_table.h"
#include "random.h"

namespace pileus::cpu_test {

class Generator {
 public:
  Generator(u64 seed, u64 index) : random_(seed, index) {}
  FuzzCase make();

 private:
  // What an instruction is to be like.
  struct Wish {
    u32 keep = 0;        // registers not to be written
    u8 segment = 0;      // prefix for its memory operand, which is then a small offset without registers
    bool memory = false;  // must have a memory operand
  };

  // Each appends to a unit; false when it came to nothing (the unit is then to be thrown away).
  bool add_random(Unit* unit);
  bool add_instruction(Unit* unit, const Wish& wish);
  bool add_loop(Unit* unit);
  bool add_call(Unit* unit);
  bool add_indirect_jump(Unit* unit);
  bool add_segment_base(Unit* unit);
  void add_branch(Unit* unit);
  void add_jump(Unit* unit);
  void add_pop_flags(Unit* unit);
  void add_x87_state(Unit* unit);

  void encode(const Row& row, const Wish& wish, Unit* out);
  void encode_vex(Map map, unsigned mandatory, unsigned rex, Unit* out);
  static void encode_map(Map map, unsigned rex, Unit* out);
  void encode_memory(unsigned reg, const Wish& wish, unsigned* rex, Unit* tail);
  void add_immediate(const Row& row, unsigned digit, bool wide, bool narrow, bool short_address, Unit* tail);
  bool add_operands(const Step& step, const Wish& wish, Unit* unit);
  bool load(unsigned reg, u64 value, const Wish& wish, Unit* unit);
  void note_writes(const Step& step);
  bool keep_if_defined(const Unit& unit);

  Random random_;
  FuzzCase case_;
  u32 pointers_ = 0;  // as in Registers
  u32 smalls_ = 0;
};

}  // namespace pileus::cpu_test
