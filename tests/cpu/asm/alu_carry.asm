; ADC and SBB chains over 128 and 256 bits, with a carry in and through.
;; expect rax=0x0 rdx=0x0 rbx=0x1 rcx=0xffffffffffffffff rsi=0xffffffffffffffff
%include "prelude.inc"
    mov rax, -1
    mov rdx, -1
    xor ebx, ebx
    add rax, 1
    keep_flags
    adc rdx, 0
    keep_flags
    adc rbx, 0
    keep_flags
    xor ecx, ecx
    xor esi, esi
    sub rcx, 1
    sbb rsi, 0
    keep_flags
    stc
    mov r8b, 0xFF
    adc r8b, 0             ; carry out of a byte by the carry in alone
    keep_flags
    mov r9d, 0
    stc
    sbb r9d, 0xFFFFFFFF    ; borrow all through: 0 - (2^32 - 1) - 1
    keep_flags
    mov r10w, 0x7FFF
    stc
    adc r10w, 0
    keep_flags
    clc
    mov byte [abs DATA], 0x80
    sbb byte [abs DATA], 1
    keep_flags
    keep r8, r9, r10
    finish
