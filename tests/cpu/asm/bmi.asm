; BMI1, BMI2, LZCNT and MOVBE on registers that have their own place and on those that have not.
;; needs avx2
;; undefined PF,AF,SF,OF
%include "prelude.inc"
%define UNDEFINED (PF | AF)
    mov rax, 0x00F0_1234_8000_0100
    mov r10, 0x0000_0000_0000_0818
    mov r11, 0xFF00_FF00_0F0F_0F0F
    mov r15, rsp
    andn rcx, rax, r11
    keep_flags_but UNDEFINED
    bextr r11, rax, r10
    keep_flags_but UNDEFINED | SF
    blsi r10, rax
    keep_flags_but UNDEFINED
    blsmsk r15d, eax
    keep_flags_but UNDEFINED
    blsr r8, r10
    keep_flags_but UNDEFINED
    bzhi rdx, rax, r10
    keep_flags_but UNDEFINED
    mov rdx, 0xFFFF_FFFF_FFFF_FFF1
    mulx r10, r11, rax
    keep rdx, r10, r11
    mulx r15, r15, rax
    pdep rbx, rax, r11
    pext rsi, r11, rax
    rorx r10, r11, 13
    sarx rdi, r11, r10
    shlx ebp, eax, r10d
    shrx r9, rax, rdx
    tzcnt r12, rax
    keep_flags_but PF | AF | SF | OF
    lzcnt r13, rax
    keep_flags_but PF | AF | SF | OF
    xor r14d, r14d
    lzcnt r14w, r14w
    keep_flags_but PF | AF | SF | OF
    mov [abs DATA + 64], rax
    movbe r10, [abs DATA + 64]
    movbe ecx, [abs DATA + 64]
    movbe [abs DATA + 72], r10w
    finish
