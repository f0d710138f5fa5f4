; x87 comparisons: by condition codes and by EFLAGS, with less, equal, greater and unordered operands; FCMOVcc.
;; expect fcw=0x37f
%include "prelude.inc"
%assign words 0
%macro keep_status 0
    fnstsw ax
    and eax, 0x4700
    mov [abs DATA + 2 * words], ax
    %assign words words + 1
%endmacro
%macro load_both 0
    fld qword [rsi]
    fld qword [rsi + 8]
%endmacro
%macro by_status 1-*
  %rep %0
    load_both
    %1 st1
    keep_status
    fninit
    %rotate 1
  %endrep
%endmacro
%macro by_flags 1-*
  %rep %0
    load_both
    %1 st0, st1
    keep_flags_but 0x890                      ; ZF PF CF are what they set
    fninit
    %rotate 1
  %endrep
%endmacro
%macro pair 1
    mov esi, %1
    by_status fcom, fcomp, fucom, fucomp
    load_both
    fcompp
    keep_status
    load_both
    fucompp
    keep_status
    fninit
    by_flags fcomi, fcomip, fucomi, fucomip
    fld qword [rsi]
    fcom dword [abs single]
    keep_status
    fcomp qword [abs one]
    keep_status
    fninit
    fld qword [rsi]
    ficom word [abs integer]
    keep_status
    ficomp dword [abs integer]
    keep_status
    fninit
    fld qword [rsi]
    ftst
    keep_status
    fxam
    keep_status
    fninit
%endmacro
%macro moves 1-*
  %rep %0
    fldpi
    fld1
    push 0x202
    popfq
    %1 st0, st1
    fstp tword [abs DATA + 0x2000]
    fld1
    push 0x247
    popfq
    %1 st0, st1
    fld tword [abs DATA + 0x2000]
    faddp
    fstp tword [abs DATA + 0x1000 + 16 * slot]
    %assign slot slot + 1
    fninit
    %rotate 1
  %endrep
%endmacro
    pair less
    pair equal
    pair greater
    pair unordered
    moves fcmovb, fcmove, fcmovbe, fcmovu, fcmovnb, fcmovne, fcmovnbe, fcmovnu
    finish
align 8
less: dq 2.0
one: dq 1.0
equal: dq -4.5, -4.5
greater: dq -1.0, 1.0e300
unordered: dq 0x7FF8000000000000, 1.0
single: dd 1.5
integer: dd 2
