; CR2 at a #DF is that of the second page fault: Linux tells an overrun stack by it.
;; expect rax=0x600d
%include "prelude.inc"
    set_gate 8, on_double, 0x8E, 1
    mov rsp, 0x40000000                       ; not mapped: the frame of the first fault cannot be pushed
    mov al, [0x40000000]
    fail
on_double:
    mov rax, cr2
    mov rcx, 0x40000000 - 48
    cmp rax, rcx                              ; the second fault's, somewhere in the frame
    check_cc ae
    mov rcx, 0x40000000 - 8
    cmp rax, rcx
    check_cc be
    finish
