; Data is not code.
;; expect exception=14 cr2=0x10200010
%include "prelude.inc"
    mov byte [abs DATA + 16], 0xC3
    mov rax, DATA + 16
    call rax
    finish
