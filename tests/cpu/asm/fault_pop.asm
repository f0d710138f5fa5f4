; POP to memory that is not there: RSP stays.
;; expect exception=14 cr2=0x0 rbx=0x0
%include "prelude.inc"
    push 5
    xor ebx, ebx
    pop qword [rbx]
    finish
