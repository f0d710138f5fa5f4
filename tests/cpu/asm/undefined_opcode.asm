; UD2, with the registers as they were.
;; expect exception=6 rax=0x7
%include "prelude.inc"
    mov eax, 7
    ud2
    finish
