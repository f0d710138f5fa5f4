; A repeated string that runs into a page that is not there: registers say how far it came.
;; expect exception=14 cr2=0x10210000 rcx=0x3e8 rdi=0x10210000 rsi=0x10208018
%include "prelude.inc"
    mov esi, DATA + 0x8000
    mov edi, DATA_END - 24
    mov ecx, 1003
    rep movsq
    finish
