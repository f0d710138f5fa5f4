; AVX on double-precision numbers, 32 and 16 bytes, and scalar.
;; needs avx2
;; expect rax=0x7c5e3326
%include "prelude.inc"
%define DOUBLES
%include "vectors.inc"
    avx_binary vaddpd, vsubpd, vmulpd, vdivpd, vminpd, vmaxpd, vandpd, vandnpd, vorpd, vxorpd, vunpcklpd
    avx_binary vunpckhpd, vaddsubpd, vhaddpd, vhsubpd
    avx_scalar vaddsd, vsubsd, vmulsd, vdivsd, vminsd, vmaxsd, vsqrtsd, vcvtsd2ss
    avx_unary vsqrtpd, vmovddup, vmovupd, vmovapd, vcvtdq2ps
    avx_immediate 0, vcmppd
    avx_immediate 5, vcmppd
    avx_immediate 10, vcmppd
    avx_immediate 15, vcmppd
    avx_immediate 20, vcmppd
    avx_immediate 25, vcmppd
    avx_immediate 30, vcmppd
    avx_immediate 0x0B, vshufpd, vblendpd
    vmovapd ymm1, [abs A]
    vmovapd ymm2, [abs B]
    vmovapd ymm3, [abs C]
    vcmpsd xmm0, xmm1, xmm2, 2
    keep_ymm ymm0
    vdppd xmm0, xmm1, xmm2, 0x31
    keep_ymm ymm0
    vroundpd ymm0, ymm1, 1
    keep_ymm ymm0
    vroundsd xmm0, xmm1, xmm2, 2
    keep_ymm ymm0
    vblendvpd ymm0, ymm1, ymm2, ymm3
    keep_ymm ymm0
    vmovlpd xmm0, xmm1, [abs C]
    vmovhpd xmm0, xmm0, [abs C + 8]
    keep_ymm ymm0
    vmovlpd [abs VECTORS - 8], xmm0
    vmovhpd [abs VECTORS - 16], xmm0
    vmovsd xmm0, xmm1, xmm2
    keep_ymm ymm0
    vmovsd xmm0, [abs C]
    vmovsd [abs VECTORS - 24], xmm0
    keep_ymm ymm0
    vmovntpd [abs VECTORS - 64], ymm1
    vbroadcastsd ymm0, [abs B + 8]
    keep_ymm ymm0
    vpermilpd ymm0, ymm1, [abs B]
    keep_ymm ymm0
    vpermpd ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vcvtpd2ps xmm0, ymm1
    keep_ymm ymm0
    vcvtpd2dq xmm0, ymm2
    keep_ymm ymm0
    vcvttpd2dq xmm0, ymm2
    keep_ymm ymm0
    vcvtdq2pd ymm0, xmm2
    keep_ymm ymm0
    vcvtsd2si eax, xmm2
    vcvttsd2si rcx, [abs A]
    vmovmskpd edx, ymm1
    keep rax, rcx, rdx
    vcvtsi2sd xmm0, xmm1, ecx
    keep_ymm ymm0
    vtestpd ymm1, ymm2
    keep_flags
    vucomisd xmm1, xmm2
    keep_flags
    vcomisd xmm2, [abs A]
    keep_flags
    checksum
    finish
