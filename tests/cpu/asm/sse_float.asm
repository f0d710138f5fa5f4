; Single and double precision: rounding, exceptions in MXCSR, NaN, conversions, comparisons.
;; expect mxcsr=0x1fbf
%include "prelude.inc"
    mov eax, 0x3F800000
    movd xmm0, eax                   ; 1.0
    mov eax, 0x40400000
    movd xmm1, eax                   ; 3.0
    movaps xmm2, xmm0
    divss xmm2, xmm1                 ; inexact
    stmxcsr [abs DATA]
    xorps xmm3, xmm3
    movaps xmm4, xmm0
    divss xmm4, xmm3                 ; by zero
    stmxcsr [abs DATA + 4]
    movaps xmm5, xmm3
    divss xmm5, xmm3                 ; invalid: the default NaN
    stmxcsr [abs DATA + 8]
    ucomiss xmm5, xmm0               ; unordered
    keep_flags
    comiss xmm0, xmm1
    keep_flags
    mov eax, 1
    movd xmm6, eax                   ; denormal
    mulss xmm6, xmm6                 ; underflow
    mov eax, 0x7F7FFFFF
    movd xmm7, eax
    mulss xmm7, xmm7                 ; overflow
    cvtss2sd xmm8, xmm2
    cvtsd2si rcx, xmm8
    cvttss2si edx, xmm7              ; out of range
    keep rcx, rdx
    mov rax, 0x4008000000000001
    movq xmm9, rax
    sqrtsd xmm10, xmm9
    roundsd xmm11, xmm9, 2
    minsd xmm9, xmm8
    cmpltsd xmm10, xmm9
    haddps xmm2, xmm4
    dpps xmm12, xmm2, 0xFF
    ; another rounding
    mov dword [abs DATA + 12], 0x7F80
    ldmxcsr [abs DATA + 12]
    movaps xmm13, xmm0
    divss xmm13, xmm1
    cvtss2si r8d, xmm13
    keep r8
    mov dword [abs DATA + 12], 0x1FBF
    ldmxcsr [abs DATA + 12]
    finish
