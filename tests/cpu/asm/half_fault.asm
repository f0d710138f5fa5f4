; A conversion to half precision with an unmasked exception raises it whatever the memory that its result goes to.
;; needs avx2
;; expect exception=19 mxcsr=0x1E82
%include "prelude.inc"
    mov dword [abs DATA], 0x1E80             ; denormal operands are not masked
    vldmxcsr [abs DATA]
    mov eax, 1                               ; a denormal
    vmovd xmm1, eax
    mov ebx, DATA_END
    vcvtps2ph [rbx], xmm1, 0
    finish
