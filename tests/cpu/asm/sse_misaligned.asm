; A 16-byte operand that is not aligned is #GP, also where there is no page.
;; expect exception=13
%include "prelude.inc"
    movups xmm0, [abs DATA + 1]      ; this one may be
    paddd xmm0, [abs DATA_END + 8]
    finish
