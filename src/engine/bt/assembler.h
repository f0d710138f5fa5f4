// Assembler: appends the few x86-64 instructions that generated code is glued together with.
//
// It writes into a buffer of known size; once the buffer is full it stops writing and overflowed() says so, so that
// callers check once at the end. Registers are by hardware number.
#pragma once

#include <cstring>

#include "base/ints.h"
#include "engine/bt/stored/places.h"

namespace pileus::engine::bt {

class Assembler {
 public:
  Assembler(u8* begin, u8* end) : begin_(begin), at_(begin), end_(end) {}

  u8* at() const { return at_; }
  u8* begin() const { return begin_; }
  u32 offset() const { return static_cast<u32>(at_ - begin_); }
  bool overflowed() const { return overflowed_; }
  // From now on, notes in `places` what depends on where the code lies. May be nullptr.
  void note_in(stored::Places* places) { places_ = places; }
  // What comes next is such a place.
  void note(stored::Place place) {
    if (places_ != nullptr) places_->note(at_, place);
  }

  void byte(unsigned value) {
    if (at_ == end_) {
      overflowed_ = true;
      return;
    }
    *at_++ = static_cast<u8>(value);
  }
  void bytes(const void* data, u64 size) {
    if (static_cast<u64>(end_ - at_) < size) {
      overflowed_ = true;
      return;
    }
    std::memcpy(at_, data, size);
    at_ += size;
  }
  void dword(u32 value) { bytes(&value, 4); }
  void qword(u64 value) { bytes(&value, 8); }

  // --- moves that leave the flags alone ---
  void mov(unsigned to, unsigned from) { rex_rr(true, from, to), byte(0x89), byte(0xC0 | (from & 7) << 3 | (to & 7)); }
  void mov32(unsigned to, unsigned from) {
    rex_rr(false, from, to), byte(0x89), byte(0xC0 | (from & 7) << 3 | (to & 7));
  }
  void mov_imm32(unsigned to, u32 value) {
    if (to >= 8) byte(0x41);
    byte(0xB8 | (to & 7)), dword(value);
  }
  void load_gs(unsigned to, u64 offset) { gs(), rex_reg(true, to), byte(0x8B), absolute(to, offset); }
  void push_gs(u64 offset) { gs(), byte(0xFF), absolute(6, offset); }
  void pop(unsigned to) {
    if (to >= 8) byte(0x41);
    byte(0x58 | (to & 7));
  }
  void invert(unsigned reg) { byte(reg >= 8 ? 0x49 : 0x48), byte(0xF7), byte(0xD0 | (reg & 7)); }
  void load_gs32(unsigned to, u64 offset) {
    gs();
    if (to >= 8) byte(0x44);
    byte(0x8B), absolute(to, offset);
  }
  void load_gs_byte(unsigned to, u64 offset) {  // zero-extended
    gs();
    if (to >= 8) byte(0x44);
    byte(0x0F), byte(0xB6), absolute(to, offset);
  }
  void load_gs_word(unsigned to, u64 offset) {  // zero-extended
    gs();
    if (to >= 8) byte(0x44);
    byte(0x0F), byte(0xB7), absolute(to, offset);
  }
  void store_gs(u64 offset, unsigned from) { gs(), rex_reg(true, from), byte(0x89), absolute(from, offset); }
  void store_gs8(u64 offset, unsigned value) { gs(), byte(0xC6), absolute(0, offset), byte(value); }
  // to = gs:[offset + index * 8]; opcode 0x8B is MOV, 0x03 ADD
  void op_gs_indexed(unsigned opcode, unsigned to, unsigned index, u64 offset) {
    gs(), byte(0x48 | (to >> 3) << 2 | (index >> 3) << 1), byte(opcode);
    byte(0x04 | (to & 7) << 3), byte(0xC5 | (index & 7) << 3), dword(static_cast<u32>(offset));
  }
  void load_gs_indexed(unsigned to, unsigned index, u64 offset) { op_gs_indexed(0x8B, to, index, offset); }
  void add_gs_indexed(unsigned to, unsigned index, u64 offset) { op_gs_indexed(0x03, to, index, offset); }
  // by way of gs:[offset + index * 8]
  void jmp_gs_indexed(unsigned index, u64 offset) { branch_gs_indexed(4, index, offset); }
  void call_gs_indexed(unsigned index, u64 offset) { branch_gs_indexed(2, index, offset); }

  // to = base + index * scale + displacement; kNone for an absent register. `wide` false truncates to 32 bits.
  static constexpr unsigned kNone = 0xFF;
  void lea(unsigned to, unsigned base, unsigned index, unsigned scale, i32 displacement, bool wide = true) {
    byte((wide ? 0x48U : 0x40U) | (to >> 3) << 2 | rex_xb(base, index)), byte(0x8D);
    operand(to, base, index, scale, displacement);
  }
  void lea(unsigned to, unsigned base, i32 displacement) { lea(to, base, kNone, 1, displacement); }
  void load(unsigned to, unsigned base, unsigned index, i32 displacement) {
    byte(0x48 | (to >> 3) << 2 | rex_xb(base, index)), byte(0x8B), operand(to, base, index, 1, displacement);
  }
  void store(unsigned base, unsigned index, i32 displacement, unsigned from) {
    byte(0x48 | (from >> 3) << 2 | rex_xb(base, index)), byte(0x89), operand(from, base, index, 1, displacement);
  }
  // to = pext(from, gs:[offset]), pdep(from, gs:[offset])
  void pext_gs(unsigned to, unsigned from, u64 offset) { bits_gs(2, to, from, offset); }
  void pdep_gs(unsigned to, unsigned from, u64 offset) { bits_gs(3, to, from, offset); }
  void rorx(unsigned to, unsigned from, unsigned count) {
    byte(0xC4), byte((to >= 8 ? 0x00U : 0x80U) | 0x40 | (from >= 8 ? 0x00U : 0x20U) | 0x03), byte(0xFB), byte(0xF0);
    byte(0xC0 | (to & 7) << 3 | (from & 7)), byte(count);
  }
  void movsxd(unsigned to, unsigned from) {
    rex_rr(true, to, from), byte(0x63), byte(0xC0 | (to & 7) << 3 | (from & 7));
  }
  void sarx(unsigned to, unsigned from, unsigned count) {
    byte(0xC4), byte((to >= 8 ? 0x00U : 0x80U) | 0x40 | (from >= 8 ? 0x00U : 0x20U) | 0x02);
    byte(0x80 | (~count & 15) << 3 | 2), byte(0xF7), byte(0xC0 | (to & 7) << 3 | (from & 7));
  }
  // lea to, [rip + (target - end of instruction)], patched later: returns where the displacement is.
  u8* lea_rip(unsigned to) {
    byte(0x48 | (to >> 3) << 2), byte(0x8D), byte(0x05 | (to & 7) << 3);
    return displacement();
  }

  // --- branches; those without a target return where their 4-byte displacement is ---
  void jmp(const u8* target) { byte(0xE9), relative(target); }
  u8* jmp() { return byte(0xE9), displacement(); }
  void call(const u8* target) { byte(0xE8), relative(target); }
  u8* call() { return byte(0xE8), displacement(); }
  void ret() { byte(0xC3); }
  u8* jcc(unsigned condition) { return byte(0x0F), byte(0x80 | condition), displacement(); }
  void jmp_register(unsigned reg) {
    if (reg >= 8) byte(0x41);
    byte(0xFF), byte(0xE0 | (reg & 7));
  }
  void jrcxz(i8 displacement) { byte(0xE3), byte(static_cast<u8>(displacement)); }
  void jecxz(i8 displacement) { byte(0x67), byte(0xE3), byte(static_cast<u8>(displacement)); }
  static void patch_short(u8* site, const u8* target) { *site = static_cast<u8>(target - (site + 1)); }
  static void patch(u8* site, const u8* target) {
    const i32 displacement = static_cast<i32>(target - (site + 4));
    std::memcpy(site, &displacement, 4);
  }
  // Puts the next branch displacement, `lead` bytes after at(), on a 4-byte boundary, so it can be patched atomically.
  void align_displacement(unsigned lead) {
    static constexpr u8 kNops[3][3] = {{0x90}, {0x66, 0x90}, {0x0F, 0x1F, 0x00}};
    const u64 past = (reinterpret_cast<u64>(at_) + lead) & 3;
    if (past != 0) bytes(kNops[3 - past], 4 - past);
  }

  // cmp reg, imm32 (clobbers flags)
  void cmp_imm(unsigned reg, i32 value) {
    byte(reg >= 8 ? 0x49 : 0x48), byte(0x81), byte(0xF8 | (reg & 7)), dword(static_cast<u32>(value));
  }

  // ModRM, SIB and displacement of [base + index * scale + displacement] with `reg` in the reg field.
  void operand(unsigned reg, unsigned base, unsigned index, unsigned scale, i32 displacement) {
    const unsigned reg_bits = (reg & 7) << 3;
    if (base == kNone) {
      const unsigned index_bits = index == kNone ? 4 : (index & 7);
      byte(0x04 | reg_bits), byte(scale_bits(scale) | index_bits << 3 | 5), dword(static_cast<u32>(displacement));
      return;
    }
    const bool short_form = displacement >= -128 && displacement <= 127;
    const bool none = displacement == 0 && (base & 7) != 5;
    const unsigned mod = none ? 0 : short_form ? 0x40U : 0x80U;
    if (index == kNone && (base & 7) != 4) {
      byte(mod | reg_bits | (base & 7));
    } else {
      const unsigned index_bits = index == kNone ? 4 : (index & 7);
      byte(mod | reg_bits | 4), byte(scale_bits(scale) | index_bits << 3 | (base & 7));
    }
    if (none) return;
    if (short_form) byte(static_cast<u8>(displacement));
    else dword(static_cast<u32>(displacement));
  }
  static unsigned rex_xb(unsigned base, unsigned index) {
    return (index != kNone && index >= 8 ? 2U : 0U) | (base != kNone && base >= 8 ? 1U : 0U);
  }

 private:
  void bits_gs(unsigned prefix, unsigned to, unsigned from, u64 offset) {  // VEX.pp: 2 = PEXT, 3 = PDEP
    gs(), byte(0xC4), byte((to >= 8 ? 0x00U : 0x80U) | 0x62), byte(0x80 | (~from & 15) << 3 | prefix), byte(0xF5);
    absolute(to, offset);
  }
  void branch_gs_indexed(unsigned operation, unsigned index, u64 offset) {
    gs();
    if (index >= 8) byte(0x42);
    byte(0xFF), byte(0x04 | operation << 3), byte(0xC5 | (index & 7) << 3), dword(static_cast<u32>(offset));
  }
  void gs() { byte(0x65); }
  void rex_reg(bool wide, unsigned reg) { byte((wide ? 0x48U : 0x40U) | (reg >> 3) << 2); }
  void rex_rr(bool wide, unsigned reg, unsigned rm) { byte((wide ? 0x48U : 0x40U) | (reg >> 3) << 2 | rm >> 3); }
  void absolute(unsigned reg, u64 offset) { byte(0x04 | (reg & 7) << 3), byte(0x25), dword(static_cast<u32>(offset)); }
  void relative(const u8* target) {
    note(stored::Place::kDisplacement);
    dword(static_cast<u32>(target - (at_ + 4)));
  }
  u8* displacement() {  // to be patched
    note(stored::Place::kDisplacement);
    return dword(0), at_ - 4;
  }
  static unsigned scale_bits(unsigned scale) {
    return scale == 8 ? 0xC0U : scale == 4 ? 0x80U : scale == 2 ? 0x40U : 0U;
  }

  u8* begin_;
  u8* at_;
  u8* end_;
  bool overflowed_ = false;
  stored::Places* places_ = nullptr;
};

}  // namespace pileus::engine::bt
