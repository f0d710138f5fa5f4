; ADD sets all six flags, at each operand size.
;; expect rax=0x8000000000000000 rcx=0x100 rdx=0x11110000 rbx=0x0 r8=0xffffffff80000000 rflags=PF,SF,AF,OF
;; mem 0x10208000: 57 02 00 00 00 00 00 00
%include "prelude.inc"
    mov rcx, 0x1FF
    add cl, 1             ; byte: carry, zero, the rest stays
    keep_flags
    mov rdx, 0x1111FFFF
    add dx, 1
    keep_flags
    mov rbx, 0xFFFFFFFFFFFFFFFF
    add ebx, 1            ; 32 bits clear the upper half
    keep_flags
    mov r8, 0x7FFFFFFF
    add r8d, 1
    keep_flags
    movsxd r8, r8d
    mov rax, 0x7FFFFFFFFFFFFFFF
    add rax, 1
    finish
