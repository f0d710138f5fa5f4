; Shifts and rotates by one, by CL, by zero (which changes no flag), and through the carry.
;; expect rax=0x2 rbx=0xc000000000000000 rcx=0x40 rdx=0x80000000
;; undefined AF,OF
%include "prelude.inc"
    mov eax, 0x80000001
    shl eax, 1
    keep_flags_but AF
    mov rbx, 1 << 63
    sar rbx, 1
    keep_flags_but AF
    mov edx, 1
    shr edx, 1
    keep_flags_but AF
    mov edx, 1
    ror edx, 1
    keep_flags_but AF
    mov ecx, 0x40
    stc
    shl rbx, cl               ; 64 is 0: flags and register stay
    keep_flags_but AF
    mov r8d, 0xFFFFFFFF
    shl r8d, cl
    shl r8, cl
    keep r8
    mov r9, 0x8000000000000001
    stc
    rcl r9, 1
    keep_flags_but AF
    rcr r9, 1
    keep_flags_but AF
    keep r9
    mov r10b, 0x81
    stc
    rcr r10b, 9               ; 9 bits: as it was
    keep_flags_but AF | OF
    keep r10
    mov r11w, 0x1234
    mov rsi, rcx
    mov cl, 20
    rol r11w, cl              ; by 4
    keep_flags_but AF | OF
    keep r11
    mov rcx, rsi
    finish
