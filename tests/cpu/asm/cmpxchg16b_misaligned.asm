; CMPXCHG16B wants alignment.
;; expect exception=13
%include "prelude.inc"
    mov rbx, DATA + 8
    cmpxchg16b [rbx]
    finish
