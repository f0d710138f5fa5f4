; AES and SHA on the same operands, carry-less products.
;; expect rax=0xb226e38d
%include "prelude.inc"
%include "vectors.inc"
    sse_binary aesenc, aesenclast, aesdec, aesdeclast, sha1nexte, sha1msg1, sha1msg2, sha256msg1, sha256msg2
    sse_unary aesimc
    sse_immediate 0x00, pclmulqdq
    sse_immediate 0x01, pclmulqdq
    sse_immediate 0x10, pclmulqdq
    sse_immediate 0x11, pclmulqdq
    sse_immediate 0, sha1rnds4
    sse_immediate 1, sha1rnds4
    sse_immediate 2, sha1rnds4
    sse_immediate 3, sha1rnds4
    sse_immediate 0x36, aeskeygenassist
    movaps xmm0, [abs C]
    movaps xmm1, [abs A]
    sha256rnds2 xmm1, [abs B], xmm0
    keep_xmm xmm1
    checksum
    finish
