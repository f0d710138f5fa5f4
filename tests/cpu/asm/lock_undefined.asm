; LOCK before a register operand is no instruction.
;; expect exception=6
%include "prelude.inc"
    lock inc dword [abs DATA]
    db 0xF0, 0xFF, 0xC0              ; LOCK INC EAX
    finish
