; x87: arithmetic in all its forms, constants, functions, moves; the stack's order.
;; expect fcw=0x37f
%include "prelude.inc"
%assign values 0
; Pops ST0 into memory.
%macro keep_st0 0
    fstp tword [abs DATA + 0x1000 + 16 * values]
    %assign values values + 1
%endmacro
; with_memory INSTRUCTION...: ST0 op a single and a double
%macro with_memory 1-*
  %rep %0
    fld qword [abs double]
    %1 dword [abs single]
    %1 qword [abs other]
    keep_st0
    %rotate 1
  %endrep
%endmacro
; ST0 op a word and a doubleword
%macro with_integer 1-*
  %rep %0
    fld qword [abs double]
    %1 word [abs word_value]
    %1 dword [abs dword_value]
    keep_st0
    %rotate 1
  %endrep
%endmacro
; both directions
%macro with_register 1-*
  %rep %0
    fld qword [abs other]
    fld qword [abs double]
    %1 st0, st1
    %1 st1, st0
    keep_st0
    keep_st0
    %rotate 1
  %endrep
%endmacro
%macro and_pop 1-*
  %rep %0
    fld qword [abs other]
    fld qword [abs double]
    %1 st1, st0
    keep_st0
    %rotate 1
  %endrep
%endmacro
%macro constant 1-*
  %rep %0
    %1
    keep_st0
    %rotate 1
  %endrep
%endmacro
; of one operand
%macro function 1-*
  %rep %0
    fld qword [abs small]
    %1
    keep_st0
    %rotate 1
  %endrep
%endmacro
; of two
%macro function_of_two 1-*
  %rep %0
    fld qword [abs double]
    fld qword [abs small]
    %1
    keep_st0
    ffree st0
    fincstp
    %rotate 1
  %endrep
%endmacro
    with_memory fadd, fsub, fsubr, fmul, fdiv, fdivr
    with_integer fiadd, fisub, fisubr, fimul, fidiv, fidivr
    with_register fadd, fsub, fsubr, fmul, fdiv, fdivr
    and_pop faddp, fsubp, fsubrp, fmulp, fdivp, fdivrp
    constant fld1, fldl2t, fldl2e, fldpi, fldlg2, fldln2, fldz
    function fabs, fchs, fsqrt, frndint, f2xm1, fsin, fcos
    function_of_two fscale, fprem, fprem1
    fld qword [abs double]
    fld qword [abs small]
    fpatan
    keep_st0
    fld qword [abs small]
    fld qword [abs double]
    fyl2x
    keep_st0
    fld qword [abs double]
    fld qword [abs small]
    fyl2xp1
    keep_st0
    fld qword [abs small]
    fptan
    keep_st0
    keep_st0
    fld qword [abs small]
    fsincos
    keep_st0
    keep_st0
    fld qword [abs double]
    fxtract
    keep_st0
    keep_st0
    ; moves
    fild word [abs word_value]
    fist word [abs DATA]
    fistp qword [abs DATA + 8]
    fild dword [abs dword_value]
    fisttp dword [abs DATA + 16]
    fild qword [abs quad]
    fst dword [abs DATA + 20]
    fst qword [abs DATA + 24]
    fbstp [abs DATA + 32]
    fbld [abs DATA + 32]
    fld st0
    fchs
    fxch st1
    fst st1
    keep_st0
    keep_st0
    fld1
    fldz
    fdecstp
    fincstp
    fxch
    ffree st1
    fstp st0
    db 0xDF, 0xC1                             ; FFREEP ST1
    fninit
    ; what the 8087 and 80287 had, and now nothing
    fnop
    db 0xDB, 0xE0                             ; FENI
    db 0xDB, 0xE1                             ; FDISI
    db 0xDB, 0xE4                             ; FSETPM
    fld1
    db 0xD9, 0xD8                             ; FSTPNCE ST0
    fnstcw [abs DATA + 48]
    fnclex
    fninit
    finish
align 8
double: dq 3.75
other: dq -1.6e3
small: dq 0.3
single: dd 2.5e-3
dword_value: dd -77777
quad: dq 123456789012345678
word_value: dw 1234
