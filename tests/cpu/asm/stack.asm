; PUSH and POP of all kinds, ENTER, LEAVE, PUSHF, POPF.
;; expect rax=0xffffffff80000000 rbx=0xffff rbp=0x0
%include "prelude.inc"
    push 0xFFFFFFFF80000000
    pop rax
    mov ebx, 0x1FFFF
    push bx
    pop cx
    movzx ebx, cx
    push -1
    pop rdx
    keep rdx
    push rsp                       ; the value before
    pop rcx
    sub rcx, rsp
    keep rcx
    mov rcx, rsp
    push 0x11
    push 0x22
    pop qword [rsp]                ; the address is that after the pop
    pop rdx
    keep rdx
    mov rdx, rsp
    sub rcx, rdx
    keep rcx
    mov rbp, 0x1000
    enter 32, 0
    mov rdx, rsp
    sub rdx, rbp
    keep rdx
    mov [rbp - 8], rbp
    enter 16, 2
    mov rdx, [rbp - 8]
    sub rdx, rbp
    keep rdx
    leave
    leave
    keep rbp
    xor ebp, ebp
    push 0xED5
    popfq
    keep_flags
    cld
    push word 0x200                ; not without IF, which CPL 0 could clear
    popf
    keep_flags
    push 7
    pop qword [abs DATA]
    finish
