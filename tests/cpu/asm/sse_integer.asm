; SSE2 to SSE4.1 on integers; results are compared with the processor's.
;; expect xmm0=0x0 rax=0xffff
%include "prelude.inc"
    mov rax, 0x8081FF7F00017FFE
    movq xmm1, rax
    mov rax, 0x0102030405060708
    movq xmm2, rax
    punpcklqdq xmm1, xmm2
    movdqa xmm3, xmm1
    paddsb xmm3, xmm2
    movdqa xmm4, xmm1
    pmulhuw xmm4, xmm2
    movdqa xmm5, xmm1
    pmaddwd xmm5, xmm2
    movdqa xmm6, xmm1
    psadbw xmm6, xmm2
    movdqa xmm7, xmm1
    pshufb xmm7, xmm2
    pshufd xmm8, xmm1, 0x1B
    movdqa xmm9, xmm1
    palignr xmm9, xmm2, 5
    movdqa xmm10, xmm1
    psrldq xmm10, 3
    pmovsxbw xmm11, xmm1
    phminposuw xmm12, xmm1
    movdqa xmm13, xmm1
    pmulld xmm13, xmm2
    movdqa xmm14, xmm1
    packuswb xmm14, xmm2
    movdqu [abs DATA + 3], xmm1
    movdqu xmm15, [abs DATA + 1]
    pextrw ecx, xmm1, 3
    pextrq rdx, xmm1, 1
    pinsrb xmm2, ecx, 15
    keep rcx, rdx
    ptest xmm1, xmm2
    keep_flags
    pxor xmm0, xmm0
    pcmpeqb xmm1, xmm1
    pmovmskb eax, xmm1
    finish
