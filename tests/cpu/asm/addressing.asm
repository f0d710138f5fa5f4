; Every register as base, scaled indexes, RIP and absolute addresses, address-size prefix, LEA at all sizes.
;; expect r15=0x10204000
%include "prelude.inc"
    mov r15d, DATA + 0x4000
%assign number 0
%macro through 1
    mov %1, r15
    mov qword [%1 + 8 * number], 0x1000 + number
    %assign number number + 1
    mov rax, r15
    mov rax, [rax + 8 * (number - 1)]
    keep rax
%endmacro
    through rbx
    through rcx
    through rdx
    through rsi
    through rdi
    through rbp
    through r8
    through r9
    through r10
    through r11
    through r12
    through r13
    through r14
    mov r14, rsp
    mov rsp, r15
    mov rax, [rsp + 8]
    mov rsp, r14
    keep rax
    mov r11d, 2
    mov rax, [r15 + r11 * 8]
    mov rcx, [r15 + r11 * 4 + 8]
    keep rax, rcx
    mov r12d, 0x10204000 / 4
    mov rax, [r12 * 4 + 8]
    keep rax
    mov rax, [rel .here]
    keep rax
    mov rbx, 0xFFFFFFFF00000000 + DATA + 0x4000
    mov rax, [ebx + 8]             ; 32-bit address
    keep rax
    mov rcx, -8
    mov rax, [r15 + rcx + 16]
    keep rax
    mov rcx, -1
    lea rax, [rcx + rcx * 8 - 1]
    lea edx, [rcx + rcx * 8 - 1]
    mov rsi, -1
    lea si, [r15 + 0x1234]
    lea edi, [ecx + 5]
    keep rax, rdx, rsi, rdi
    finish
.here: dq 0x1122334455667788
