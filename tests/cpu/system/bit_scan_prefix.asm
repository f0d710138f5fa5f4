; Without BMI1 and LZCNT in CPUID, F3 before BSF and BSR means nothing.
;; expect rax=0x600d
;; cpu v2
%include "prelude.inc"
    mov eax, 0x00000100
    lzcnt ecx, eax
    check ecx, 8
    tzcnt ecx, eax
    check ecx, 8
    mov ecx, 5
    xor eax, eax
    tzcnt ecx, eax
    check_cc z
    check ecx, 5
    finish
