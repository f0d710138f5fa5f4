; AES, SHA and carry-less multiplication, as the processor does them.
;; expect xmm0=0x0
%include "prelude.inc"
    mov rax, 0x0123456789ABCDEF
    movq xmm1, rax
    pshufd xmm2, xmm1, 0x1E
    pshufd xmm1, xmm1, 0x44
    movdqa xmm3, xmm1
    aesenc xmm3, xmm2
    aesdeclast xmm3, xmm1
    aeskeygenassist xmm4, xmm2, 0x1B
    aesimc xmm5, xmm4
    movdqa xmm6, xmm1
    pclmulqdq xmm6, xmm2, 0x11
    movdqa xmm7, xmm1
    sha1rnds4 xmm7, xmm2, 2
    movdqa xmm8, xmm1
    movdqa xmm0, xmm2
    sha256rnds2 xmm8, xmm1
    pxor xmm0, xmm0
    finish
