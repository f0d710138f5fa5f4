; XSAVEC and XSAVEOPT: what the compacted form looks like, what is left out, and XRSTOR of it.
;; needs avx2
;; expect rax=0x600d
%include "prelude.inc"
%define AREA FREE
%define XSTATE_BV (AREA + 512)
%define XCOMP_BV (AREA + 520)
    mov rax, cr4
    or eax, 1 << 18
    mov cr4, rax
    xor ecx, ecx
    xor edx, edx
    mov eax, 7
    xsetbv
    mov eax, 0xD
    mov ecx, 1
    cpuid
    and eax, 3
    check eax, 3                              ; XSAVEOPT and XSAVEC
    mov eax, 7
    xor edx, edx
    fninit
    vpcmpeqb ymm1, ymm1, ymm1
    xsavec [AREA]
    mov rax, 1 << 63 | 7
    check [XCOMP_BV], rax
    mov rax, [XSTATE_BV]
    and eax, 4
    check eax, 4
    check qword [AREA + 576 + 16], -1
    ; upper halves alone
    mov qword [AREA + 160 + 16], 0x77
    mov eax, 4
    xor edx, edx
    xsavec64 [AREA]
    check qword [AREA + 160 + 16], 0x77       ; not its business
    mov rax, 1 << 63 | 4
    check [XCOMP_BV], rax
    check qword [XSTATE_BV], 4
    check qword [AREA + 576 + 16], -1
    vzeroall
    mov eax, 4
    xrstor [AREA]
    vextracti128 xmm2, ymm1, 1
    vmovq rax, xmm2
    check rax, -1
    vmovq rax, xmm1
    check rax, 0
    ; a component that the form does not have
    mov rax, 1 << 63 | 8
    mov [XCOMP_BV], rax
    mov eax, 7
    faults GP, 0, {xrstor [AREA]}
    ; XSAVEOPT: the standard form; what is in its initial state need not be written
    mov qword [XCOMP_BV], 0
    vzeroall
    mov eax, 7
    xsaveopt [AREA]
    mov rax, [XSTATE_BV]
    and eax, 4
    check eax, 0
    vpcmpeqb ymm1, ymm1, ymm1
    mov eax, 7
    xsaveopt64 [AREA]
    mov rax, [XSTATE_BV]
    and eax, 6
    check eax, 6
    check qword [AREA + 160 + 16], -1
    check qword [AREA + 576 + 16], -1
    mov eax, 7
    faults GP, 0, {xsavec [AREA + 32]}
    finish
