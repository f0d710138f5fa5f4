; User code goes to a 32-bit segment by itself and ends there; 64-bit user code that runs next is 64-bit code. The selectors
; are Linux's, so that all of it may run directly.
;; expect rax=0x600d
%include "prelude.inc"
%define LINUX_CS32 0x23
%define USER_DS 0x2B
%define USER_CS 0x33
%include "user.inc"
%define OUR_GDT (FREE + 0x5000)

    mov rax, [GDT + KERNEL_CS]
    mov [OUR_GDT + KERNEL_CS], rax
    mov rax, [GDT + KERNEL_DS]
    mov [OUR_GDT + KERNEL_DS], rax
    mov rax, 0x00CFFB000000FFFF          ; code, 32-bit, CPL 3
    mov [OUR_GDT + 0x20], rax
    mov rax, 0x00CFF3000000FFFF          ; data
    mov [OUR_GDT + 0x28], rax
    mov rax, 0x00AFFB000000FFFF          ; code, 64-bit
    mov [OUR_GDT + 0x30], rax
    lgdt [our_gdt]
    check_alignment
    xor ebx, ebx
    xor ebp, ebp
    in_user
    choose_anew
    push LINUX_CS32
    lea rax, [rel %$thirty_two]
    push rax
    xor eax, eax
    retfq
bits 32
%$thirty_two:
    inc eax                              ; 40h: a prefix in 64-bit code
    mov ebx, eax
    ud2
bits 64
    end_user
    check qword [fault_vector], UD
    check ebx, 1
    in_user
    choose_anew
    xor ecx, ecx
    mov r10d, 5                          ; in 32-bit code INC ECX; MOV EDX, 5
    mov ebp, ecx
    mov ebx, r10d
    end_user
    check qword [fault_vector], UD
    check rbp, 0
    check rbx, 5
    finish

our_gdt:
    dw 0x37
    dq OUR_GDT
