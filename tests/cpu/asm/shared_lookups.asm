; Loads, stores, PUSH and POP by one base register in a row, on one page and over the end of one; what changes the base in between.
%include "prelude.inc"
%define MIDDLE (DATA + 3 * PAGE)
    mov rax, 0x1112131415161718
    mov rcx, 0x2122232425262728
    mov rdx, 0x3132333435363738
    mov rbx, MIDDLE - 12
    ; all sizes, the third on both pages
    mov [rbx], al
    mov [rbx + 2], cx
    mov [rbx + 9], rdx
    mov [rbx + 20], ecx
    movups xmm0, [rbx + 2]
    movups [rbx + 30], xmm0
    add [rbx + 9], rcx
    xchg [rbx + 20], edx
    lock xadd [rbx + 30], rax
    movzx esi, byte [rbx]
    movsx rdi, word [rbx + 2]
    mov r8, [rbx + 9]
    mov r10, [rbx + 20]
    movups xmm1, [rbx + 30]
    cmp r8, [rbx + 9]
    keep_flags
    keep rax, rdx, rsi, rdi, r8, r10
    ; what lies between: other ways to the same page, spilled registers, high bytes, shifts by CL
    mov rbx, MIDDLE
    mov r15, rbx
    mov r9d, 8
    mov [rbx], rcx
    mov [r15 + 8], rcx
    mov [rbx + 16], rcx
    mov [rbx + r9 * 4], rdx
    mov r11, [rbx + 32]
    mov [rbx + 24], r11
    mov [rbx + 25], ch
    shl qword [rbx], cl
    mov rax, [rbx]
    add r10, r11
    mov r12, [rbx + 8]
    mov [rbx + 40], r10
    lea rsi, [rbx + 40]
    mov r13, [rbx + 24]
    keep rax, r10, r11, r12, r13, rsi
    ; the base changes
    mov rbx, MIDDLE
    mov [rbx + 8], rbx
    lea rax, [rbx + 64]
    mov [rbx + 64], rax
    mov [rbx], rax
    mov rbx, [rbx]
    mov [rbx + 8], rbx
    mov rbx, [rbx]
    mov rcx, [rbx + 8]
    add rbx, 2 * PAGE
    mov [rbx], rcx
    mov bl, 0x80
    mov [rbx], rcx
    mov rax, rbx
    mov [rax + 8], rcx
    cmp rax, [rax + 8]
    cmovne rax, [rax + 8]
    mov rdx, [rax + 8]
    keep rbx, rcx, rax, rdx
    ; the stack, and what is kept in it, with RSP aligned and not
    mov rbp, rsp
%assign i 0
%rep 3
    mov rsp, MIDDLE + 2 * PAGE + 24 - i
    mov rax, 0x4142434445464748
    push rax
    push rsp
    push -5
    push r10
    sub rsp, 40
    mov [rsp + 32], rax
    mov [rsp + 4], eax
    mov word [rsp], 0x1234
    mov rcx, [rsp + 48]
    mov rdx, [rsp + 32]
    add rsp, 40
    pop r11
    pop rbx
    mov rsi, [rsp - 8]
    pop rdi
    lea rsp, [rsp - 16]
    pop r12
    and rsp, -16
    push rcx
    push rdx
    pop r13
    pop rsp
    mov rax, rsp
    mov rsp, rbp
    keep rax, rcx, rdx, rbx, rsi, rdi, r11, r12, r13
  %assign i i + 3
%endrep
    ; calls and returns
    mov rsp, MIDDLE + 8
    push rbx
    push rcx
    call .routine
    pop rdx
    pop rax
    xchg rsp, rbp
    keep rax, rdx, rsi, rbp
    mov rbp, rsp
    finish
.routine:
    push rbp
    push r12
    mov rsi, [rsp + 24]
    pop rcx
    pop rdi
    ret
