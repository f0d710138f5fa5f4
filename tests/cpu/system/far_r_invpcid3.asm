; INVPCID of all but global ones while CR4.PGE is clear.
;; expect rax=0x600d
%include "prelude.inc"
%include "pages_of_code.inc"
    write_pages_of_code
    mov rax, cr4
    or rax, 0x80
    mov cr4, rax
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    mov rax, cr4
    and rax, ~0x80
    mov cr4, rax
    calls CALLER, 1
    mov edx, 3
    invpcid rdx, [descriptor]
    calls CALLER, 1
    finish
align 16
descriptor: dq 0, 0
