; The machine starts and ends.
;; expect rax=0x2a
%include "prelude.inc"
    mov eax, 42
    out 0xF4, al
