; The x87 stack, constants, rounding to 80 bits, comparisons, status, integer and BCD stores.
;; expect fcw=0x37f
%include "prelude.inc"
    fldpi
    fld1
    fld st1
    fdivp st1, st0
    fnstsw ax
    keep rax
    fsqrt
    fld st0
    fmul st0, st2
    fistp qword [abs DATA]
    fist dword [abs DATA + 8]
    fst dword [abs DATA + 16]
    fst qword [abs DATA + 24]
    fld tword [abs DATA + 0x20]
    fstp tword [abs DATA + 48]
    fldl2e
    fbstp [abs DATA + 64]
    fcomi st1
    keep_flags_but AF | SF | OF
    fxam
    fnstsw ax
    keep rax
    fldz
    fdivp st1, st0                     ; masked: infinity
    fnstsw ax
    keep rax
    mov word [abs DATA + 80], 0xF7F    ; towards zero
    fldcw [abs DATA + 80]
    fldpi
    frndint
    fistp word [abs DATA + 82]
    fninit
    fld1
    fincstp
    fnstsw ax
    keep rax
    ffree st7
    fninit
    finish
