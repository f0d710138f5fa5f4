// The instructions that the fuzzer makes, as ranges of opcodes (Intel SDM vol. 2, appendix A). What of a range is no
// instruction, or none that user-level code of our guests may count on, is_wanted() in generator.cc leaves out.
#pragma once

#include "base/ints.h"

namespace pileus::cpu_test {

enum class Map : u8 { kOne, k0F, k0F38, k0F3A, kVex0F, kVex0F38, kVex0F3A };
enum class Immediate : u8 {
  kNone,
  k8,
  k16,
  kFull,     // 2 or 4 bytes by operand size
  kWhole,    // 2, 4 or 8 bytes
  kUnary,    // of F6 and F7: digits 0 and 1 (TEST) have one
  kEnter,    // 2 + 1 bytes
  kAddress,  // 8 bytes: a memory offset
};

// Prefixes that select an instruction, one of which is taken.
inline constexpr u8 kPlain = 1, k66 = 2, kF2 = 4, kF3 = 8, kVector = kPlain | k66 | kF2 | kF3;
// An integer instruction: 66 and REX.W select the operand size.
inline constexpr u8 kSized = 16;
// F2 or F3 may stand before it: REP.
inline constexpr u8 kRepeat = 32;
// LOCK may, when the first operand is in memory.
inline constexpr u8 kLock = 64;

inline constexpr i8 kNoModRm = -2, kAnyReg = -1;

struct Row {
  unsigned weight;
  Map map;
  u8 first;  // the opcodes
  u8 last;
  u8 prefixes;
  i8 reg;  // kNoModRm, kAnyReg, or the digit that ModRM.reg has to be
  Immediate immediate = Immediate::kNone;
};

inline constexpr Row kRows[] = {
    // ADD OR ADC SBB AND SUB XOR CMP
    {6, Map::kOne, 0x00, 0x03, kSized | kLock, kAnyReg},
    {4, Map::kOne, 0x08, 0x0B, kSized | kLock, kAnyReg},
    {8, Map::kOne, 0x10, 0x13, kSized | kLock, kAnyReg},
    {8, Map::kOne, 0x18, 0x1B, kSized | kLock, kAnyReg},
    {4, Map::kOne, 0x20, 0x23, kSized | kLock, kAnyReg},
    {6, Map::kOne, 0x28, 0x2B, kSized | kLock, kAnyReg},
    {4, Map::kOne, 0x30, 0x33, kSized | kLock, kAnyReg},
    {6, Map::kOne, 0x38, 0x3B, kSized, kAnyReg},
    {1, Map::kOne, 0x04, 0x04, kSized, kNoModRm, Immediate::k8},
    {1, Map::kOne, 0x15, 0x15, kSized, kNoModRm, Immediate::kFull},
    {1, Map::kOne, 0x1C, 0x1C, kSized, kNoModRm, Immediate::k8},
    {1, Map::kOne, 0x2D, 0x2D, kSized, kNoModRm, Immediate::kFull},
    {1, Map::kOne, 0x35, 0x35, kSized, kNoModRm, Immediate::kFull},
    {1, Map::kOne, 0x3D, 0x3D, kSized, kNoModRm, Immediate::kFull},
    {10, Map::kOne, 0x80, 0x80, kSized | kLock, kAnyReg, Immediate::k8},
    {10, Map::kOne, 0x81, 0x81, kSized | kLock, kAnyReg, Immediate::kFull},
    {10, Map::kOne, 0x83, 0x83, kSized | kLock, kAnyReg, Immediate::k8},
    {8, Map::kOne, 0xF6, 0xF7, kSized | kLock, kAnyReg, Immediate::kUnary},
    {8, Map::kOne, 0xFE, 0xFF, kSized | kLock, kAnyReg},  // INC DEC PUSH
    {4, Map::kOne, 0x84, 0x85, kSized, kAnyReg},          // TEST
    {1, Map::kOne, 0xA8, 0xA8, kSized, kNoModRm, Immediate::k8},
    {1, Map::kOne, 0xA9, 0xA9, kSized, kNoModRm, Immediate::kFull},
    {3, Map::kOne, 0x69, 0x69, kSized, kAnyReg, Immediate::kFull},  // IMUL
    {3, Map::kOne, 0x6B, 0x6B, kSized, kAnyReg, Immediate::k8},
    {3, Map::k0F, 0xAF, 0xAF, kSized, kAnyReg},
    {12, Map::kOne, 0xC0, 0xC1, kSized, kAnyReg, Immediate::k8},  // shifts and rotates
    {10, Map::kOne, 0xD0, 0xD3, kSized, kAnyReg},
    {4, Map::k0F, 0xA4, 0xA4, kSized, kAnyReg, Immediate::k8},  // SHLD
    {4, Map::k0F, 0xAC, 0xAC, kSized, kAnyReg, Immediate::k8},  // SHRD
    {2, Map::k0F, 0xA5, 0xA5, kSized, kAnyReg},
    {2, Map::k0F, 0xAD, 0xAD, kSized, kAnyReg},
    {2, Map::k0F, 0xA3, 0xA3, kSized, kAnyReg},  // BT BTS BTR BTC
    {2, Map::k0F, 0xAB, 0xAB, kSized | kLock, kAnyReg},
    {2, Map::k0F, 0xB3, 0xB3, kSized | kLock, kAnyReg},
    {2, Map::k0F, 0xBB, 0xBB, kSized | kLock, kAnyReg},
    {4, Map::k0F, 0xBA, 0xBA, kSized | kLock, kAnyReg, Immediate::k8},
    {5, Map::k0F, 0xBC, 0xBD, kSized, kAnyReg},  // BSF BSR
    {3, Map::k0F, 0xB8, 0xB8, kSized | kF3, kAnyReg},  // POPCNT
    {3, Map::k0F, 0xC8, 0xCF, kSized, kNoModRm},       // BSWAP
    {6, Map::k0F, 0x40, 0x4F, kSized, kAnyReg},        // CMOVcc
    {5, Map::k0F, 0x90, 0x9F, kSized, kAnyReg},        // SETcc
    {5, Map::k0F, 0xB0, 0xB1, kSized | kLock, kAnyReg},  // CMPXCHG
    {4, Map::k0F, 0xC0, 0xC1, kSized | kLock, kAnyReg},  // XADD
    {4, Map::k0F, 0xC7, 0xC7, kSized | kLock, 1},        // CMPXCHG8B, 16B
    {4, Map::kOne, 0x86, 0x87, kSized | kLock, kAnyReg},  // XCHG
    {2, Map::kOne, 0x90, 0x97, kSized, kNoModRm},
    {10, Map::kOne, 0x88, 0x8B, kSized, kAnyReg},  // MOV
    {3, Map::kOne, 0xB0, 0xB7, kSized, kNoModRm, Immediate::k8},
    {3, Map::kOne, 0xB8, 0xBF, kSized, kNoModRm, Immediate::kWhole},
    {3, Map::kOne, 0xC6, 0xC6, kSized, 0, Immediate::k8},
    {3, Map::kOne, 0xC7, 0xC7, kSized, 0, Immediate::kFull},
    {2, Map::kOne, 0xA0, 0xA3, kSized, kNoModRm, Immediate::kAddress},
    {5, Map::k0F, 0xB6, 0xB7, kSized, kAnyReg},  // MOVZX MOVSX MOVSXD
    {5, Map::k0F, 0xBE, 0xBF, kSized, kAnyReg},
    {3, Map::kOne, 0x63, 0x63, kSized, kAnyReg},
    {5, Map::kOne, 0x8D, 0x8D, kSized, kAnyReg},        // LEA
    {1, Map::k0F, 0xC3, 0xC3, kSized, kAnyReg},         // MOVNTI
    {2, Map::kOne, 0x98, 0x99, kSized, kNoModRm},       // CBW CWD
    {2, Map::kOne, 0x9E, 0x9F, kPlain, kNoModRm},       // SAHF LAHF
    {2, Map::kOne, 0x9C, 0x9C, kSized, kNoModRm},       // PUSHF
    {2, Map::kOne, 0xD7, 0xD7, kSized, kNoModRm},       // XLAT
    {2, Map::kOne, 0xF5, 0xF9, kPlain, kNoModRm},       // CMC CLC STC
    {2, Map::kOne, 0xFC, 0xFD, kPlain, kNoModRm},       // CLD STD
    {4, Map::kOne, 0x50, 0x5F, kSized, kNoModRm},       // PUSH POP
    {1, Map::kOne, 0x68, 0x68, kSized, kNoModRm, Immediate::kFull},
    {1, Map::kOne, 0x6A, 0x6A, kSized, kNoModRm, Immediate::k8},
    {2, Map::kOne, 0x8F, 0x8F, kSized, 0},
    {2, Map::kOne, 0xC8, 0xC8, kSized, kNoModRm, Immediate::kEnter},
    {2, Map::kOne, 0xC9, 0xC9, kSized, kNoModRm},                   // LEAVE
    {10, Map::kOne, 0xA4, 0xA7, kSized | kRepeat, kNoModRm},        // MOVS CMPS
    {10, Map::kOne, 0xAA, 0xAF, kSized | kRepeat, kNoModRm},        // STOS LODS SCAS
    {2, Map::k0F, 0x0D, 0x0D, kPlain, kAnyReg},                     // PREFETCHW, NOP
    {2, Map::k0F, 0x18, 0x1F, kSized, kAnyReg},
    {4, Map::k0F, 0x1E, 0x1E, kF3, kAnyReg},                        // ENDBR RDSSP
    {1, Map::k0F, 0xAE, 0xAE, kPlain, 5},                           // LFENCE
    {1, Map::k0F, 0xAE, 0xAE, kPlain, 6},                           // MFENCE
    {2, Map::k0F, 0xAE, 0xAE, kPlain, 7},                           // CLFLUSH SFENCE
    {1, Map::kOne, 0x90, 0x90, kF3, kNoModRm},                      // PAUSE
    {1, Map::k0F, 0x0B, 0x0B, kPlain, kNoModRm},                    // UD2
    {3, Map::k0F38, 0xF0, 0xF1, kSized | kF2, kAnyReg},             // CRC32
    {3, Map::k0F38, 0xF6, 0xF6, kSized | k66 | kF3, kAnyReg},       // ADCX ADOX

    {40, Map::kOne, 0xD8, 0xDF, kPlain, kAnyReg},  // x87
    {2, Map::kOne, 0x9B, 0x9B, kPlain, kNoModRm},  // FWAIT
    {4, Map::k0F, 0xAE, 0xAE, kPlain, 2},          // LDMXCSR
    {4, Map::k0F, 0xAE, 0xAE, kPlain, 3},          // STMXCSR

    {20, Map::k0F, 0x10, 0x17, kVector, kAnyReg},
    {12, Map::k0F, 0x28, 0x2F, kVector, kAnyReg},
    {26, Map::k0F, 0x50, 0x6F, kVector, kAnyReg},
    {4, Map::k0F, 0x70, 0x70, kVector, kAnyReg, Immediate::k8},
    {4, Map::k0F, 0x71, 0x73, kPlain | k66, kAnyReg, Immediate::k8},
    {2, Map::k0F, 0x74, 0x77, kPlain | k66, kAnyReg},
    {1, Map::k0F, 0x77, 0x77, kPlain, kNoModRm},  // EMMS
    {6, Map::k0F, 0x7C, 0x7F, kVector, kAnyReg},
    {6, Map::k0F, 0xC2, 0xC2, kVector, kAnyReg, Immediate::k8},
    {6, Map::k0F, 0xC4, 0xC6, kPlain | k66, kAnyReg, Immediate::k8},
    {36, Map::k0F, 0xD0, 0xFE, kVector, kAnyReg},
    {14, Map::k0F38, 0x00, 0x1E, kPlain | k66, kAnyReg},
    {16, Map::k0F38, 0x20, 0x41, k66, kAnyReg},
    {8, Map::k0F38, 0xC8, 0xCD, kPlain, kAnyReg},  // SHA
    {5, Map::k0F38, 0xDB, 0xDF, k66, kAnyReg},     // AES
    {12, Map::k0F3A, 0x08, 0x22, kPlain | k66, kAnyReg, Immediate::k8},
    {4, Map::k0F3A, 0x40, 0x44, k66, kAnyReg, Immediate::k8},
    {5, Map::k0F3A, 0x60, 0x63, k66, kAnyReg, Immediate::k8},  // PCMPxSTRx
    {2, Map::k0F3A, 0xCC, 0xCC, kPlain, kAnyReg, Immediate::k8},
    {1, Map::k0F3A, 0xDF, 0xDF, k66, kAnyReg, Immediate::k8},

    {3, Map::k0F38, 0xF0, 0xF1, kSized, kAnyReg},      // MOVBE
    {2, Map::k0F, 0xBC, 0xBD, kSized | kF3, kAnyReg},  // TZCNT LZCNT
};

// Only where the processor has AVX2: x86-64-v3 as a whole.
inline constexpr Row kVexRows[] = {
    {10, Map::kVex0F, 0x10, 0x17, kVector, kAnyReg},
    {6, Map::kVex0F, 0x28, 0x2F, kVector, kAnyReg},
    {14, Map::kVex0F, 0x50, 0x6F, kVector, kAnyReg},
    {3, Map::kVex0F, 0x70, 0x70, kVector, kAnyReg, Immediate::k8},
    {2, Map::kVex0F, 0x71, 0x73, k66, kAnyReg, Immediate::k8},
    {2, Map::kVex0F, 0x74, 0x76, k66, kAnyReg},
    {2, Map::kVex0F, 0x77, 0x77, kPlain, kNoModRm},  // VZEROUPPER VZEROALL
    {4, Map::kVex0F, 0x7C, 0x7F, kVector, kAnyReg},
    {1, Map::kVex0F, 0xAE, 0xAE, kPlain, 2},  // VLDMXCSR VSTMXCSR
    {1, Map::kVex0F, 0xAE, 0xAE, kPlain, 3},
    {4, Map::kVex0F, 0xC2, 0xC2, kVector, kAnyReg, Immediate::k8},
    {3, Map::kVex0F, 0xC4, 0xC6, kPlain | k66, kAnyReg, Immediate::k8},
    {18, Map::kVex0F, 0xD0, 0xFE, kVector, kAnyReg},
    {30, Map::kVex0F38, 0x00, 0x5A, k66, kAnyReg},
    {4, Map::kVex0F38, 0x78, 0x79, k66, kAnyReg},
    {8, Map::kVex0F38, 0x8C, 0x93, k66, kAnyReg},   // VPMASKMOV, gathers
    {24, Map::kVex0F38, 0x96, 0xBF, k66, kAnyReg},  // FMA
    {3, Map::kVex0F38, 0xDB, 0xDF, k66, kAnyReg},
    {16, Map::kVex0F38, 0xF2, 0xF7, kVector, kAnyReg},  // ANDN BLSx BZHI PEXT PDEP MULX BEXTR SHLX SARX SHRX
    {12, Map::kVex0F3A, 0x00, 0x22, k66, kAnyReg, Immediate::k8},
    {8, Map::kVex0F3A, 0x38, 0x4C, k66, kAnyReg, Immediate::k8},
    {2, Map::kVex0F3A, 0x60, 0x63, k66, kAnyReg, Immediate::k8},
    {1, Map::kVex0F3A, 0xDF, 0xDF, k66, kAnyReg, Immediate::k8},
    {3, Map::kVex0F3A, 0xF0, 0xF0, kF2, kAnyReg, Immediate::k8},  // RORX
};

}  // namespace pileus::cpu_test
