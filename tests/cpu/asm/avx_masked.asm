; Elements that the mask leaves out may lie where there is no page; gathers clear the mask and the rest of the register.
;; needs avx2
;; expect ymmh2=0 ymmh7=0
%include "prelude.inc"
    mov rax, DATA_END
    vpcmpeqd ymm0, ymm0, ymm0
    vpxor xmm1, xmm1, xmm1
    vpinsrd xmm1, xmm1, [rel ones], 0            ; mask: element 0
    mov dword [rax - 4], 0x12345678
    vmaskmovps ymm2, ymm1, [rax - 4]             ; seven elements are beyond the end
    vpmaskmovq xmm3, xmm1, [rax - 8]
    vmaskmovps [rax - 4], ymm1, ymm0
    vmaskmovpd [rax], ymm15, ymm0                ; the mask is zero
    vpmaskmovd ymm4, ymm15, [rax]
    ; gathers
    mov rbx, DATA
    mov rcx, 64
.fill:
    mov [rbx + rcx * 8 - 8], rcx
    loop .fill
    vmovdqu ymm5, [rel indices]
    vpcmpeqd ymm6, ymm6, ymm6
    vpgatherdd ymm7, [rbx + ymm5 * 4], ymm6
    vextracti128 xmm8, ymm7, 1
    vpxor ymm7, ymm7, ymm7
    vpcmpeqd ymm6, ymm6, ymm6
    vgatherdpd ymm9, [rbx + xmm5 * 8 + 16], ymm6
    vmovdqu ymm10, [rel wide]
    vpcmpeqd ymm6, ymm6, ymm6
    vpcmpeqd ymm11, ymm11, ymm11
    vpgatherqd xmm11, [rbx + ymm10 * 2], xmm6    ; clears the upper half
    vpcmpeqd xmm6, xmm6, xmm6
    vpgatherqd xmm12, [rbx + xmm10 * 2], xmm6    ; two elements
    vmovdqu xmm6, [rel wide_mask]
    vpcmpeqd ymm13, ymm13, ymm13
    vpgatherqq xmm13, [rbx + xmm10], xmm6        ; the second alone
    lea rdi, [rbx + 8]
    vmovdqu xmm14, [rel wide_mask]
    vmaskmovdqu xmm14, xmm14
    finish
align 4
ones: dd -1
indices: dd 0, 2, 4, 6, 8, 10, 12, 63
wide: dq 0, 8, 16, 24
wide_mask: dq 0, -1
