; Approximations, whose last bits are each processor's own: compared with the one at hand.
;; needs avx2
;; expect rax=0x0
%include "prelude.inc"
%define SINGLES
%include "vectors.inc"
    sse_unary rcpps, rsqrtps, rcpss, rsqrtss
    avx_unary vrcpps, vrsqrtps
    avx_scalar vrcpss, vrsqrtss
    finish
