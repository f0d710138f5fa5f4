; SSE2 to SSE4.1 on integers: shuffles, packing, shifts, conversions of width, stores past the cache.
;; expect rax=0x579032b
%include "prelude.inc"
%include "vectors.inc"
    sse_binary punpcklbw, punpcklwd, punpckldq, punpcklqdq, punpckhbw, punpckhwd, punpckhdq, punpckhqdq
    sse_binary packsswb, packssdw, packuswb, packusdw, pshufb, psllw, pslld, psllq, psrlw, psrld, psrlq, psraw
    sse_binary psrad
    sse_shift psllw, pslld, psllq, psrlw, psrld, psrlq, psraw, psrad, pslldq, psrldq
    sse_unary pmovsxbw, pmovsxbd, pmovsxbq, pmovsxwd, pmovsxwq, pmovsxdq, pmovzxbw, pmovzxbd, pmovzxbq
    sse_unary pmovzxwd, pmovzxwq, pmovzxdq, lddqu, movdqu, movntdqa
    sse_immediate 0x1B, pshufd, pshufhw, pshuflw, pblendw, palignr
    movaps xmm0, [abs B]                  ; the mask of BLENDV
    movaps xmm1, [abs A]
    pblendvb xmm1, [abs C], xmm0
    keep_xmm xmm1
    pinsrb xmm1, [abs C], 3
    pinsrw xmm1, ecx, 7
    pinsrd xmm1, [abs C], 1
    pinsrq xmm1, rcx, 1
    keep_xmm xmm1
    movaps xmm1, [abs A]
    pextrb eax, xmm1, 5
    pextrb [abs VECTORS - 8], xmm1, 6
    pextrw ecx, xmm1, 6
    pextrd edx, xmm1, 2
    pextrq rbx, xmm1, 0
    keep rax, rcx, rdx, rbx
    movntdq [abs VECTORS - 32], xmm1
    movnti [abs VECTORS - 40], rbx
    mov edi, VECTORS - 64
    maskmovdqu xmm1, xmm0
    movdq2q mm3, xmm1
    movq [abs VECTORS - 48], mm3
    emms
    movd xmm5, ebx
    movq xmm6, [abs A]
    keep_xmm xmm5
    keep_xmm xmm6
    checksum
    finish
