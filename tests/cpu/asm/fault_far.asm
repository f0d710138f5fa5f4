; An access by the base of the one before, 2 GiB away from it.
;; expect exception=14 cr2=0xffffffff90200040 rax=0x1111
%include "prelude.inc"
    mov rbx, DATA + 64
    mov qword [rbx], 0x1111
    mov rax, [rbx]
    mov rcx, [rbx - 0x80000000]
    finish
