; A page fault while a page fault is delivered: #DF with error code 0, on the stack that its gate names.
;; expect rax=0x600d
%include "prelude.inc"
    set_gate 8, on_double, 0x8E, 1
    mov rsp, 0x40000000                       ; not mapped: the frame of the first fault cannot be pushed
    mov al, [0x40000000]
    fail
on_double:
    check qword [rsp], 0
    mov rax, IST1_TOP - 48
    check rsp, rax
    mov rax, 0x40000000
    check [rsp + 32], rax                     ; RSP
    ; a segment fault while one is delivered: #GP, for want of a gate, then #DF as well
    mov rsp, STACK
    mov word [IDT + GP * 16 + 4], 0       ; not present: #NP within #GP
    set_gate 8, on_second, 0x8E, 1
    mov rbx, 1 << 47
    mov al, [rbx]
    fail
on_second:
    check qword [rsp], 0
    finish
