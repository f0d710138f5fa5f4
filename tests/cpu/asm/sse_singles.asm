; SSE on single-precision numbers, packed and scalar.
;; expect rax=0xf06f3535
%include "prelude.inc"
%define SINGLES
%include "vectors.inc"
    sse_binary addps, subps, mulps, divps, minps, maxps, andps, andnps, orps, xorps, addss, subss, mulss
    sse_binary divss, minss, maxss, unpcklps, unpckhps
    sse_binary addsubps, haddps, hsubps
    sse_unary sqrtps, sqrtss, movshdup, movsldup, cvtps2dq, cvttps2dq, cvtps2pd, cvtss2sd
    sse_immediate 0, cmpps, cmpss
    sse_immediate 1, cmpps, cmpss
    sse_immediate 2, cmpps, cmpss
    sse_immediate 3, cmpps, cmpss
    sse_immediate 4, cmpps, cmpss
    sse_immediate 5, cmpps, cmpss
    sse_immediate 6, cmpps, cmpss
    sse_immediate 7, cmpps, cmpss
    sse_immediate 0xB4, shufps, blendps, insertps, dpps
    sse_immediate 0, roundps, roundss
    sse_immediate 1, roundps, roundss
    sse_immediate 2, roundps, roundss
    sse_immediate 3, roundps, roundss
    movaps xmm1, [abs A]
    movaps xmm2, [abs B]
    movhlps xmm1, xmm2
    keep_xmm xmm1
    movlhps xmm1, xmm2
    keep_xmm xmm1
    movlps xmm1, [abs C + 4]
    movhps xmm1, [abs C + 8]
    keep_xmm xmm1
    movhps [abs VECTORS - 32], xmm1
    movlps [abs VECTORS - 24], xmm1
    movss xmm1, [abs B]
    movss xmm2, xmm1
    movss [abs VECTORS - 16], xmm2
    keep_xmm xmm1
    keep_xmm xmm2
    movntps [abs VECTORS - 64], xmm1
    extractps eax, xmm1, 2
    movmskps ecx, xmm1
    cvtss2si edx, [abs A + 4]
    cvttss2si rbx, xmm2
    keep rax, rcx, rdx, rbx
    cvtsi2ss xmm3, ebx
    cvtsi2ss xmm4, rdx
    keep_xmm xmm3
    keep_xmm xmm4
    movaps xmm0, [abs B]                  ; the mask of BLENDV
    movaps xmm1, [abs A]
    blendvps xmm1, [abs C], xmm0
    keep_xmm xmm1
    ucomiss xmm1, xmm2
    keep_flags
    comiss xmm2, [abs A]
    keep_flags
    ; through MMX registers
    cvtpi2ps xmm1, [abs A]
    keep_xmm xmm1
    cvtps2pi mm1, [abs A]
    cvttps2pi mm2, xmm2
    movq [abs VECTORS - 8], mm1
    movntq [abs VECTORS - 80], mm2
    emms
    checksum
    finish
