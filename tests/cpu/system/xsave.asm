; XSAVE and its kin: who may, what they write, what they take, and what is in its initial state.
;; needs avx2
;; expect rax=0x600d
;; cpu v3
%include "prelude.inc"
%define AREA FREE
%define XSTATE_BV (AREA + 512)
%define XCOMP_BV (AREA + 520)
%define YMM_UPPER (AREA + 576)
    mov rax, cr4
    and eax, ~(1 << 18)
    mov cr4, rax
    faults UD, 0, {xgetbv}
    faults UD, 0, {vpxor ymm0, ymm0, ymm0}
    faults UD, 0, {xsave [AREA]}
    mov eax, 1
    cpuid
    test ecx, 1 << 27
    check_cc z
    mov rax, cr4
    or eax, 1 << 18
    mov cr4, rax
    mov eax, 1
    cpuid
    test ecx, 1 << 27
    check_cc nz
    ; XCR0
    xor ecx, ecx
    xor edx, edx
    mov eax, 5                           ; AVX without SSE
    faults GP, 0, {xsetbv}
    mov eax, 6                           ; without x87
    faults GP, 0, {xsetbv}
    mov eax, 0x27
    faults GP, 0, {xsetbv}
    mov eax, 3
    xsetbv
    faults UD, 0, {vpxor ymm0, ymm0, ymm0}
    mov eax, 7
    xsetbv
    xgetbv
    check eax, 7
    check edx, 0
    mov ecx, 2
    faults GP, 0, {xgetbv}
    ; sizes
    mov eax, 0xD
    xor ecx, ecx
    cpuid
    check eax, 7
    check ebx, 832
    check ecx, 832
    ; the initial state
    fninit
    vzeroall
    mov eax, -1
    mov edx, -1
    faults GP, 0, {xsave [AREA + 8]}
    mov rbx, 0x8000_0000
    mov [XSTATE_BV], rbx
    mov qword [XCOMP_BV], 0x1234
    xsave [AREA]
    mov rbx, [XSTATE_BV]
    and ebx, ~1                          ; the x87 may count as in use
    mov ecx, 0x8000_0000
    check rbx, rcx                       ; others' bits stay
    check qword [XCOMP_BV], 0x1234
    check word [AREA], 0x37F
    check dword [AREA + 24], 0x1F80
    ; in use
    vpcmpeqd ymm3, ymm3, ymm3
    vpcmpeqd ymm12, ymm12, ymm12
    vpxor xmm12, xmm12, xmm12
    fld1
    mov qword [XCOMP_BV], 0
    mov qword [XSTATE_BV], 0
    xsave64 [AREA]
    check qword [XSTATE_BV], 7
    check qword [YMM_UPPER + 3 * 16 + 8], -1
    check qword [YMM_UPPER + 12 * 16], 0
    check qword [AREA + 160 + 3 * 16], -1
    ; restored, or made initial where the header says so
    vzeroall
    fninit
    xrstor64 [AREA]
    vextracti128 xmm4, ymm3, 1
    vmovq rbx, xmm4
    check rbx, -1
    fnstsw ax
    and eax, 0x3800
    check eax, 0x3800
    mov eax, -1
    and qword [XSTATE_BV], ~4
    xrstor64 [AREA]
    vextracti128 xmm4, ymm3, 1
    vmovq rbx, xmm4
    check rbx, 0
    vmovq rbx, xmm3
    check rbx, -1
    ; only what is asked for
    vpcmpeqd ymm5, ymm5, ymm5
    mov eax, 1
    xrstor64 [AREA]
    vextracti128 xmm4, ymm5, 1
    vmovq rbx, xmm4
    check rbx, -1
    ; XSAVEOPT leaves out what is initial
    mov eax, -1
    vzeroupper
    mov qword [YMM_UPPER], 0x77
    xsaveopt [AREA]
    check qword [YMM_UPPER], 0x77
    mov rbx, [XSTATE_BV]
    and ebx, 4
    check ebx, 0
    ; bad images
    mov qword [XSTATE_BV], 8
    faults GP, 0, {xrstor [AREA]}
    mov qword [XSTATE_BV], 3
    mov qword [XCOMP_BV], 1
    faults GP, 0, {xrstor [AREA]}
    mov qword [XCOMP_BV], 0
    mov dword [AREA + 24], 0x10000
    faults GP, 0, {xrstor [AREA]}
    mov dword [AREA + 24], 0x1F80
    xrstor [AREA]
    ; not while CR0.TS is set
    mov rbx, cr0
    or ebx, 8
    mov cr0, rbx
    faults NM, 0, {xsave [AREA]}
    faults NM, 0, {vpxor ymm0, ymm0, ymm0}
    clts
    finish
