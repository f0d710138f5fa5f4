; A gather that faults at its third element has the two before it, their part of the mask cleared and the rest of the mask
; extended from the top bits.
;; needs avx2
;; expect exception=14 cr2=0x10210000 xmm0=0x99999999999999990000000200000001 ymmh0=0
;; expect xmm2=0xffffffffffffffff0000000000000000 ymmh2=0
%include "prelude.inc"
    mov rbx, DATA_END - 8
    mov dword [rbx], 1
    mov dword [rbx + 4], 2
    vpcmpeqd ymm0, ymm0, ymm0
    vmovdqu xmm3, [rel before]
    vinserti128 ymm0, ymm0, xmm3, 0
    vmovdqu xmm1, [rel indices]
    vpcmpeqd ymm2, ymm2, ymm2
    vpslld ymm2, ymm2, 31                  ; the top bits alone
    vpgatherdd xmm0, [rbx + xmm1 * 4], xmm2
    finish
align 4
before: times 16 db 0x99
indices: dd 0, 1, 2, 3
