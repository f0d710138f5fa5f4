; SSE2 and later on double-precision numbers, packed and scalar.
;; expect rax=0xf6aeb375
%include "prelude.inc"
%define DOUBLES
%include "vectors.inc"
    sse_binary addpd, subpd, mulpd, divpd, minpd, maxpd, andpd, andnpd, orpd, xorpd, addsd, subsd, mulsd
    sse_binary divsd, minsd, maxsd, unpcklpd, unpckhpd, addsubpd, haddpd, hsubpd
    sse_unary sqrtpd, sqrtsd, movddup, cvtpd2dq, cvttpd2dq, cvtpd2ps, cvtsd2ss, cvtdq2pd, cvtdq2ps
    sse_immediate 0, cmppd, cmpsd
    sse_immediate 1, cmppd, cmpsd
    sse_immediate 2, cmppd, cmpsd
    sse_immediate 3, cmppd, cmpsd
    sse_immediate 4, cmppd, cmpsd
    sse_immediate 5, cmppd, cmpsd
    sse_immediate 6, cmppd, cmpsd
    sse_immediate 7, cmppd, cmpsd
    sse_immediate 0xB1, shufpd, blendpd, dppd
    sse_immediate 0, roundpd, roundsd
    sse_immediate 1, roundpd, roundsd
    sse_immediate 2, roundpd, roundsd
    sse_immediate 3, roundpd, roundsd
    movapd xmm1, [abs A]
    movlpd xmm1, [abs C]
    movhpd xmm1, [abs B]
    keep_xmm xmm1
    movlpd [abs VECTORS - 32], xmm1
    movhpd [abs VECTORS - 24], xmm1
    movsd xmm2, [abs B + 8]
    movsd xmm1, xmm2
    movsd [abs VECTORS - 16], xmm1
    keep_xmm xmm1
    movupd xmm3, [abs A + 8]
    movupd [abs VECTORS - 56], xmm3
    movapd [abs VECTORS - 80], xmm3
    movntpd [abs VECTORS - 96], xmm1
    movmskpd eax, xmm3
    cvtsd2si ecx, [abs A]
    cvttsd2si rdx, xmm2
    keep rax, rcx, rdx
    cvtsi2sd xmm3, ecx
    cvtsi2sd xmm4, qword [abs A]
    keep_xmm xmm3
    keep_xmm xmm4
    movaps xmm0, [abs A]
    movaps xmm1, [abs B]
    blendvpd xmm1, [abs C], xmm0
    keep_xmm xmm1
    ucomisd xmm1, xmm2
    keep_flags
    comisd xmm2, [abs A]
    keep_flags
    cvtpi2pd xmm1, [abs A]
    keep_xmm xmm1
    cvtpd2pi mm1, [abs A]
    cvttpd2pi mm2, xmm2
    movq [abs VECTORS - 8], mm1
    movq [abs VECTORS - 104], mm2
    emms
    checksum
    finish
