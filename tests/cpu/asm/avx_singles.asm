; AVX on single-precision numbers, 32 and 16 bytes, and scalar.
;; needs avx2
;; expect rax=0x953de1b0
%include "prelude.inc"
%define SINGLES
%include "vectors.inc"
    avx_binary vaddps, vsubps, vmulps, vdivps, vminps, vmaxps, vandps, vandnps, vorps, vxorps, vunpcklps
    avx_binary vunpckhps, vaddsubps, vhaddps, vhsubps
    avx_scalar vaddss, vsubss, vmulss, vdivss, vminss, vmaxss, vsqrtss, vcvtss2sd
    avx_unary vsqrtps, vmovshdup, vmovsldup, vcvtps2dq, vcvttps2dq, vmovups, vmovaps
    avx_immediate 0, vcmpps
    avx_immediate 3, vcmpps
    avx_immediate 6, vcmpps
    avx_immediate 9, vcmpps
    avx_immediate 12, vcmpps
    avx_immediate 15, vcmpps
    avx_immediate 18, vcmpps
    avx_immediate 21, vcmpps
    avx_immediate 24, vcmpps
    avx_immediate 27, vcmpps
    avx_immediate 30, vcmpps
    avx_immediate 0xB4, vshufps, vblendps, vdpps, vperm2f128
    vmovaps ymm1, [abs A]
    vmovaps ymm2, [abs B]
    vmovaps ymm3, [abs C]
    vcmpss xmm0, xmm1, xmm2, 0x11
    keep_ymm ymm0
    vinsertps xmm0, xmm1, xmm2, 0x9C
    keep_ymm ymm0
    vroundps ymm0, ymm1, 2
    keep_ymm ymm0
    vroundss xmm0, xmm1, xmm2, 1
    keep_ymm ymm0
    vblendvps ymm0, ymm1, ymm2, ymm3
    keep_ymm ymm0
    vmovhlps xmm0, xmm1, xmm2
    keep_ymm ymm0
    vmovlhps xmm0, xmm1, xmm2
    keep_ymm ymm0
    vmovlps xmm0, xmm1, [abs C]
    vmovhps xmm0, xmm0, [abs C + 4]
    keep_ymm ymm0
    vmovlps [abs VECTORS - 8], xmm0
    vmovhps [abs VECTORS - 16], xmm0
    vmovss xmm0, xmm1, xmm2
    keep_ymm ymm0
    vmovss xmm0, [abs C]
    vmovss [abs VECTORS - 20], xmm0
    keep_ymm ymm0
    vmovntps [abs VECTORS - 64], ymm1
    vbroadcastss ymm0, [abs B + 4]
    keep_ymm ymm0
    vbroadcastf128 ymm0, [abs C]
    keep_ymm ymm0
    vinsertf128 ymm0, ymm1, xmm2, 1
    keep_ymm ymm0
    vextractf128 xmm0, ymm1, 1
    keep_ymm ymm0
    vpermilps ymm0, ymm1, [abs B]
    keep_ymm ymm0
    vpermilps ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vcvtps2pd ymm0, xmm1
    keep_ymm ymm0
    vcvtps2ph xmm0, ymm1, 0
    keep_ymm ymm0
    vcvtph2ps ymm4, xmm0
    keep_ymm ymm4
    vcvtss2si eax, xmm2
    vcvttss2si rcx, [abs A]
    vmovmskps edx, ymm1
    vextractps ebx, xmm1, 1
    keep rax, rcx, rdx, rbx
    vcvtsi2ss xmm0, xmm1, rbx
    keep_ymm ymm0
    vtestps ymm1, ymm2
    keep_flags
    vucomiss xmm1, xmm2
    keep_flags
    vcomiss xmm2, [abs A]
    keep_flags
    vstmxcsr [abs VECTORS - 68]
    vldmxcsr [abs VECTORS - 68]
    checksum
    finish
