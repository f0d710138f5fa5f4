; An operand that begins below 4 GiB goes on above, though its address has 32 bits: it is one piece.
;; needs avx2
;; expect exception=14 cr2=0x100000003
%include "prelude.inc"
    vmovdqu ymm4, [rel second]
    mov r15d, 0xFFFFFFFF
    vpmaskmovd [r15d], ymm4, ymm4
    finish
second: dd 0, -1, 0, 0, 0, 0, 0, 0
