; SSE2 to SSE4.2 on integers: arithmetic, comparisons, logic.
;; expect rax=0x1b01fb6b
%include "prelude.inc"
%include "vectors.inc"
    sse_binary paddb, paddw, paddd, paddq, paddsb, paddsw, paddusb, paddusw, psubb, psubw, psubd, psubq
    sse_binary psubsb, psubsw, psubusb, psubusw, pavgb, pavgw, pmullw, pmulhw, pmulhuw, pmulhrsw, pmulld
    sse_binary pmuludq, pmuldq, pmaddwd, pmaddubsw, psadbw, phaddw, phaddd, phaddsw, phsubw, phsubd, phsubsw
    sse_binary psignb, psignw, psignd
    sse_binary pcmpeqb, pcmpeqw, pcmpeqd, pcmpeqq, pcmpgtb, pcmpgtw, pcmpgtd, pcmpgtq, pmaxsb, pmaxsw, pmaxsd
    sse_binary pmaxub, pmaxuw, pmaxud, pminsb, pminsw, pminsd, pminub, pminuw, pminud, pand, pandn, por, pxor
    sse_unary pabsb, pabsw, pabsd, phminposuw
    sse_immediate 5, mpsadbw
    checksum
    finish
