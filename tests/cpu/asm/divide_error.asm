; A quotient that does not fit is #DE, with the registers as they were.
;; expect exception=0 rax=0x8000000000000000 rdx=0xffffffffffffffff rcx=0xffffffffffffffff
%include "prelude.inc"
    mov rax, 1 << 63
    cqo
    mov rcx, -1
    idiv rcx
    finish
