; TF: #DB after the instruction that follows POPFQ.
;; expect exception=1 rax=0x1
%include "prelude.inc"
    pushfq
    or qword [rsp], 0x100
    popfq
    inc eax
    inc eax
    finish
