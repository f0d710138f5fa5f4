// FXSAVE, XSAVE and their kin (Intel SDM vol. 1, chapter 13).
//
// The x87 registers are in the host's FPU at any time. The vector registers are in the Context, or, with
// Context::vectors_in_place, in the host's: this file is compiled for general registers only.
#include "engine/bt/events.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/vm.h"
#include "engine/cpuid.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr0Em = 4, kCr0Ts = 8, kCr4OsXsave = 1U << 18;
constexpr u32 kMxcsrReserved = 0xFFFF0000, kMxcsrInitial = 0x1F80;
constexpr u64 kX87 = 1, kSse = 2, kAvx = 4;  // state components
constexpr u64 kCompacted = u64{1} << 63;     // in XCOMP_BV

// The standard format; that of XSAVEC is the same as far as these components go.
struct alignas(64) Image {
  u8 x87[24];  // FCW FSW FTW FOP FIP FDP
  u32 mxcsr;
  u32 mxcsr_mask;
  u8 st[8][16];
  u8 xmm[16][16];
  u8 unused[96];
  u64 xstate_bv;
  u64 xcomp_bv;
  u64 reserved[6];
  u8 ymm_upper[16][16];
};
constexpr unsigned kLegacyBytes = 512;
static_assert(sizeof(Image) == kXsaveLegacyBytes + kXsaveAvxBytes);

unsigned registers(const Context& context) { return context.code64() ? 16 : 8; }

// All that the host's registers hold. What names the last x87 instruction are the host's addresses.
void save_host(const Context& context, Image& image) {
  const u32 components = allowed_xcr0(context.vm->cpu().features) == 7 ? 7 : 0;
  image.xstate_bv = image.xcomp_bv = 0;
  for (u64& word : image.reserved) word = 0;
  if (components != 0) asm volatile("xsave64 %0" : "+m"(image) : "a"(components), "d"(0));
  else asm volatile("fxsave64 %0" : "+m"(image));
  __builtin_memset(image.x87 + 6, 0, 18);
}

void capture(const Context& context, Image& image) {
  save_host(context, image);
  image.mxcsr_mask = ~kMxcsrReserved;
  if (context.vectors_in_place) return;
  image.mxcsr = context.mxcsr;
  for (unsigned i = 0; i < 16; ++i) {
    __builtin_memcpy(image.xmm[i], context.vector[i].data(), 16);
    __builtin_memcpy(image.ymm_upper[i], context.vector[i].data() + 16, 16);
  }
}

// Makes the components in `which` what `image` has, with MXCSR when `with_mxcsr`; `image` is changed.
void restore(Context& context, Image& image, u64 which, bool with_mxcsr) {
  Image now;
  capture(context, now);
  if ((which & kX87) != 0) {
    __builtin_memcpy(now.x87, image.x87, 6);
    __builtin_memcpy(now.st, image.st, sizeof now.st);
  }
  if (with_mxcsr) now.mxcsr = image.mxcsr;
  const unsigned count = registers(context);
  if ((which & kSse) != 0) __builtin_memcpy(now.xmm, image.xmm, u64{count} * 16);
  if ((which & kAvx) != 0) __builtin_memcpy(now.ymm_upper, image.ymm_upper, u64{count} * 16);
  const bool avx = allowed_xcr0(context.vm->cpu().features) == 7;
  if (!context.vectors_in_place) {
    context.mxcsr = now.mxcsr;
    for (unsigned i = 0; i < 16; ++i) {
      __builtin_memcpy(context.vector[i].data(), now.xmm[i], 16);
      __builtin_memcpy(context.vector[i].data() + 16, now.ymm_upper[i], 16);
    }
    // The host's vector registers and MXCSR belong to C++ code now: they are put back as they are.
    Image host;
    save_host(context, host);
    __builtin_memcpy(host.x87, now.x87, 6);
    __builtin_memcpy(host.st, now.st, sizeof host.st);
    asm volatile("fxrstor64 %0" : : "m"(host) : "memory");
    return;
  }
  now.xstate_bv = 7;
  if (avx) asm volatile("xrstor64 %0" : : "m"(now), "a"(7), "d"(0) : "memory");
  else asm volatile("fxrstor64 %0" : : "m"(now) : "memory");
}

bool is_zero(const void* from, unsigned bytes) {
  const auto* words = static_cast<const u64*>(from);
  u64 any = 0;
  for (unsigned i = 0; i < bytes / 8; ++i) any |= words[i];
  return any == 0;
}

// Components that are not in their initial state. The x87's is always taken as in use, which is allowed.
u64 in_use(const Image& image) {
  u64 out = kX87;
  if (!is_zero(image.xmm, sizeof image.xmm) || image.mxcsr != kMxcsrInitial) out |= kSse;
  if (!is_zero(image.ymm_upper, sizeof image.ymm_upper)) out |= kAvx;
  return out;
}

bool begin_fx(Exec& e, u64* linear) {
  if ((e.context.cr0 & (kCr0Em | kCr0Ts)) != 0) return e.context.raise(kVectorNm);
  if (!linear_address(e, e.operand(0), kLegacyBytes, linear)) return false;
  return (*linear & 15) == 0 || e.context.raise(kVectorGp, 0);
}

bool check_xsave(Exec& e) {
  Context& context = e.context;
  const bool offered = context.vm->cpu().features.has(FeatureWord::k1Ecx, 26);
  if (!offered || (context.cr4 & kCr4OsXsave) == 0) return context.raise(kVectorUd);
  return true;
}

// The state component bitmap asked for (RFBM), and the operand's address.
bool begin_xsave(Exec& e, u64* which, u64* linear) {
  Context& context = e.context;
  if (!check_xsave(e)) return false;
  if ((context.cr0 & kCr0Ts) != 0) return context.raise(kVectorNm);
  *which = ((context.gpr[kRdx] << 32) | (context.gpr[kRax] & 0xFFFFFFFF)) & context.xcr0;
  if (!linear_address(e, e.operand(0), sizeof(Image), linear)) return false;
  return (*linear & 63) == 0 || context.raise(kVectorGp, 0);
}

// Piecewise, as not all of the area is to be written. The whole is known to be writable by then.
class Area {
 public:
  Area(Context& context, u64 linear, const Image& image) : context_(context), linear_(linear), image_(image) {}
  bool write(u64 offset, unsigned bytes) {
    const u8* from = reinterpret_cast<const u8*>(&image_) + offset;
    return write_memory(context_, linear_ + offset, from, bytes, context_.mode());
  }

 private:
  Context& context_;
  u64 linear_;
  const Image& image_;
};

bool is_writable(Context& context, u64 linear, unsigned bytes) {
  u8* host = nullptr;
  u64 gpa = 0;
  const u64 last = linear + bytes - 1;
  return pin_memory(context, linear, 1, context.mode(), &host, &gpa) &&
         pin_memory(context, last, 1, context.mode(), &host, &gpa);
}

bool write_components(Context& context, u64 linear, const Image& image, u64 which, bool with_mxcsr) {
  Area area(context, linear, image);
  if ((which & kX87) != 0 && (!area.write(0, 24) || !area.write(offsetof(Image, st), sizeof image.st))) return false;
  if (with_mxcsr && !area.write(offsetof(Image, mxcsr), 8)) return false;
  if ((which & kSse) != 0 && !area.write(offsetof(Image, xmm), 16 * registers(context))) return false;
  return (which & kAvx) == 0 || area.write(offsetof(Image, ymm_upper), 16 * registers(context));
}

// SDM vol. 1, 13.8.1 and 13.8.2: what makes XRSTOR raise #GP.
bool is_header_valid(const Context& context, const Image& image) {
  if ((image.xcomp_bv & kCompacted) == 0) {
    return image.xcomp_bv == 0 && image.reserved[0] == 0 && (image.xstate_bv & ~context.xcr0) == 0;
  }
  const u64 format = image.xcomp_bv & ~kCompacted;
  return (format & ~context.xcr0) == 0 && (image.xstate_bv & ~format) == 0 && is_zero(image.reserved, 48);
}

}  // namespace

bool op_fxsave(Exec& e) {
  u64 linear = 0;
  if (!begin_fx(e, &linear)) return false;
  Image image;
  capture(e.context, image);
  // The last 96 bytes are software's: they stay.
  return write_memory(e.context, linear, &image, 160 + 16 * registers(e.context), e.context.mode());
}

bool op_fxrstor(Exec& e) {
  u64 linear = 0;
  if (!begin_fx(e, &linear)) return false;
  Image image;
  capture(e.context, image);  // for the registers that 32-bit code does not load
  if (!read_memory(e.context, linear, &image, 160 + 16 * registers(e.context), e.context.mode())) return false;
  if ((image.mxcsr & kMxcsrReserved) != 0) return e.context.raise(kVectorGp, 0);
  restore(e.context, image, kX87 | kSse, true);
  return true;
}

bool op_xgetbv(Exec& e) {
  Context& context = e.context;
  if (!check_xsave(e)) return false;
  u64 value = context.xcr0;
  const auto index = static_cast<u32>(context.gpr[kRcx]);
  if (index == 1 && context.vm->cpu().features.has(FeatureWord::kD1Eax, 2)) {
    Image image;
    capture(context, image);
    value &= in_use(image);
  } else if (index != 0) {
    return context.raise(kVectorGp, 0);
  }
  context.gpr[kRax] = value & 0xFFFFFFFF;
  context.gpr[kRdx] = value >> 32;
  return true;
}

bool op_xsetbv(Exec& e) {
  Context& context = e.context;
  if (!check_xsave(e)) return false;
  const u64 value = (context.gpr[kRdx] << 32) | (context.gpr[kRax] & 0xFFFFFFFF);
  const bool consistent = (value & kX87) != 0 && ((value & kAvx) == 0 || (value & kSse) != 0);
  const bool allowed = (value & ~allowed_xcr0(context.vm->cpu().features)) == 0;
  if (context.cpl != 0 || static_cast<u32>(context.gpr[kRcx]) != 0 || !consistent || !allowed)
    return context.raise(kVectorGp, 0);
  context.xcr0 = value;
  return true;
}

bool op_xsave(Exec& e) {
  Context& context = e.context;
  const ZydisMnemonic mnemonic = e.insn.info.mnemonic;
  const bool compacts = mnemonic == ZYDIS_MNEMONIC_XSAVEC || mnemonic == ZYDIS_MNEMONIC_XSAVEC64;
  const bool optimizes = mnemonic == ZYDIS_MNEMONIC_XSAVEOPT || mnemonic == ZYDIS_MNEMONIC_XSAVEOPT64;
  const CpuFeatures& features = context.vm->cpu().features;
  if ((compacts && !features.has(FeatureWord::kD1Eax, 1)) || (optimizes && !features.has(FeatureWord::kD1Eax, 0)))
    return context.raise(kVectorUd);
  u64 which = 0, linear = 0;
  if (!begin_xsave(e, &which, &linear)) return false;
  const unsigned bytes = (which & kAvx) != 0 ? sizeof(Image) : kXsaveLegacyBytes;
  u64 header = 0;
  if (!read_memory(context, linear + offsetof(Image, xstate_bv), &header, 8, context.mode())) return false;
  if (!is_writable(context, linear, bytes)) return false;
  Image image;
  capture(context, image);
  const u64 used = in_use(image);
  const u64 written = compacts || optimizes ? which & used : which;
  const bool with_mxcsr = compacts ? (written & kSse) != 0 : (which & (kSse | kAvx)) != 0;
  image.xstate_bv = compacts ? which & used : (header & ~which) | (which & used);
  image.xcomp_bv = which | kCompacted;
  if (!write_components(context, linear, image, written, with_mxcsr)) return false;
  return Area(context, linear, image).write(offsetof(Image, xstate_bv), compacts ? 16 : 8);
}

bool op_xrstor(Exec& e) {
  Context& context = e.context;
  u64 which = 0, linear = 0;
  if (!begin_xsave(e, &which, &linear)) return false;
  Image image;
  const Mode mode = context.mode();
  if (!read_memory(context, linear, &image, kXsaveLegacyBytes, mode)) return false;
  if (!is_header_valid(context, image)) return context.raise(kVectorGp, 0);
  const bool compacted = (image.xcomp_bv & kCompacted) != 0;
  const u64 given = image.xstate_bv & which;
  if ((given & kAvx) != 0 &&
      !read_memory(context, linear + offsetof(Image, ymm_upper), image.ymm_upper, sizeof image.ymm_upper, mode))
    return false;
  const bool with_mxcsr = compacted ? (which & kSse) != 0 : (which & (kSse | kAvx)) != 0;
  if (compacted && (given & kSse) == 0) image.mxcsr = kMxcsrInitial;
  if (with_mxcsr && (image.mxcsr & kMxcsrReserved) != 0) return context.raise(kVectorGp, 0);
  if ((given & kX87) == 0) {
    __builtin_memset(image.x87, 0, sizeof image.x87);
    image.x87[0] = 0x7F, image.x87[1] = 0x03;
    __builtin_memset(image.st, 0, sizeof image.st);
  }
  if ((given & kSse) == 0) __builtin_memset(image.xmm, 0, sizeof image.xmm);
  if ((given & kAvx) == 0) __builtin_memset(image.ymm_upper, 0, sizeof image.ymm_upper);
  restore(context, image, which, with_mxcsr);
  return true;
}

}  // namespace pileus::engine::bt
