; Memory accesses by one base register with a store between them that changes the code that does them, or its page; and such
; accesses to that page.
;; expect rax=0x600d
%include "prelude.inc"
    mov rbx, data
    mov rbp, 3
.again:
    ; the next instruction, by an address of its own
    mov rax, [rbx]
    mov byte [rel .changed + 1], 7
.changed:
    mov cl, 1
    mov rdx, [rbx + 8]
    mov byte [rel .changed + 1], 1
    mov rsi, [rbx + 16]
    check cl, 7
    check rax, 0x101
    check rdx, 0x102
    check rsi, 0x103
    ; elsewhere on the page
    mov rdi, FREE
    mov [rdi], rax
    mov [rel unrelated], rdx
    mov [rdi + 8], rdx
    push rax
    mov [rel unrelated], rsi
    push rdx
    mov rcx, [rbx]
    add [rel unrelated], rcx
    mov rcx, [rbx + 8]
    pop rax
    pop rdx
    check rcx, 0x102
    check rax, 0x102
    check rdx, 0x101
    check qword [FREE], 0x101
    check qword [FREE + 8], 0x102
    check qword [unrelated], 0x204
    ; accesses to the page of the code
    mov rdi, target
    mov [rdi], rax
    mov [rdi + 8], rdx
    mov rcx, [rdi]
    mov rsi, [rdi + 8]
    check rcx, 0x102
    check rsi, 0x101
    mov rdi, .changed_too
    mov byte [rdi - 1], 0x90
    mov byte [rdi + 1], 9
    nop
.changed_too:
    mov cl, 1
    mov byte [rdi + 1], 1
    check cl, 9
    ; a stack there
    mov r12, rsp
    mov rsp, target + 16
    push rbx
    push rdi
    pop rax
    pop rcx
    mov rsp, r12
    check rax, rdi
    check rcx, rbx
    dec rbp
    jnz .again
    finish
align 64
data: dq 0x101, 0x102, 0x103
align 64
unrelated: dq 0
target: dq 0, 0
