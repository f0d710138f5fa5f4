; An unmasked x87 exception waits for the next instruction that waits.
;; expect exception=16 rax=0x1
%include "prelude.inc"
    mov word [abs DATA], 0x37E
    fldcw [abs DATA]
    fldz
    fldz
    fdivp st1, st0
    fnstsw [abs DATA]
    mov eax, 1
    fld1
    finish
