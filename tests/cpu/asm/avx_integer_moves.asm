; AVX2 on integers: shuffles, packing, shifts, conversions of width, broadcasts, gathers.
;; needs avx2
;; expect rax=0x81914706
%include "prelude.inc"
%include "vectors.inc"
    avx_binary vpunpcklbw, vpunpcklwd, vpunpckldq, vpunpcklqdq, vpunpckhbw, vpunpckhwd, vpunpckhdq
    avx_binary vpunpckhqdq, vpacksswb, vpackssdw, vpackuswb, vpackusdw, vpshufb, vpsllvd, vpsllvq, vpsrlvd
    avx_binary vpsrlvq, vpsravd
    avx_unary vpmovsxbw, vpmovsxbd, vpmovsxbq, vpmovsxwd, vpmovsxwq, vpmovsxdq, vpmovzxbw, vpmovzxbd
    avx_unary vpmovzxbq, vpmovzxwd, vpmovzxwq, vpmovzxdq, vlddqu, vmovdqu, vmovdqa, vmovntdqa, vpbroadcastb
    avx_unary vpbroadcastw, vpbroadcastd, vpbroadcastq
    avx_immediate 0x1B, vpblendw, vpblendd, vpalignr, vperm2i128
    vmovdqa ymm1, [abs A]
    vmovdqa ymm2, [abs B]
    vmovdqa ymm3, [abs C]
    vpsllw ymm0, ymm1, 5
    keep_ymm ymm0
    vpsllw ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpslld ymm0, ymm1, 5
    keep_ymm ymm0
    vpslld ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsllq ymm0, ymm1, 5
    keep_ymm ymm0
    vpsllq ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsrlw ymm0, ymm1, 5
    keep_ymm ymm0
    vpsrlw ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsrld ymm0, ymm1, 5
    keep_ymm ymm0
    vpsrld ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsrlq ymm0, ymm1, 5
    keep_ymm ymm0
    vpsrlq ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsraw ymm0, ymm1, 5
    keep_ymm ymm0
    vpsraw ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpsrad ymm0, ymm1, 5
    keep_ymm ymm0
    vpsrad ymm0, ymm1, xmm4
    keep_ymm ymm0
    vpslldq ymm0, ymm1, 3
    keep_ymm ymm0
    vpsrldq ymm0, ymm1, 5
    keep_ymm ymm0
    vpshufd ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vpshufhw ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vpshuflw ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vpermd ymm0, ymm1, ymm2
    keep_ymm ymm0
    vpermps ymm0, ymm2, ymm1
    keep_ymm ymm0
    vpermq ymm0, ymm1, 0x1B
    keep_ymm ymm0
    vpblendvb ymm0, ymm1, ymm2, ymm3
    keep_ymm ymm0
    vbroadcasti128 ymm0, [abs B]
    keep_ymm ymm0
    vinserti128 ymm0, ymm1, xmm2, 1
    keep_ymm ymm0
    vextracti128 xmm0, ymm1, 1
    keep_ymm ymm0
    vpinsrb xmm0, xmm1, [abs C], 3
    vpinsrw xmm0, xmm0, ecx, 7
    vpinsrd xmm0, xmm0, [abs C], 1
    keep_ymm ymm0
    vpinsrq xmm0, xmm1, rsi, 1
    keep_ymm ymm0
    vpextrb eax, xmm1, 5
    vpextrw ecx, xmm1, 6
    vpextrd edx, xmm1, 2
    vpextrq rbx, xmm1, 0
    keep rax, rcx, rdx, rbx
    vmovntdq [abs VECTORS - 32], ymm1
    vmovd xmm0, edx
    keep_ymm ymm0
    vmovq xmm0, rbx
    keep_ymm ymm0
    vmovdqu [abs VECTORS - 64], ymm1
    mov edi, VECTORS - 96
    vmaskmovdqu xmm1, xmm2
    ; gathers: indices 0 to 7 times 4, masks from A
    vpmovzxbd ymm5, [abs indices]
    vpmovzxbq ymm6, [abs indices]
    mov esi, A
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vpgatherdd ymm0, [rsi + ymm5 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vgatherdps ymm0, [rsi + ymm5 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vpgatherdq ymm0, [rsi + xmm5 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vgatherdpd ymm0, [rsi + xmm5 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vpgatherqd xmm0, [rsi + ymm6 * 4], xmm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vgatherqps xmm0, [rsi + ymm6 * 4], xmm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vpgatherqq ymm0, [rsi + ymm6 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    vmovdqa ymm7, [abs A]
    vmovdqa ymm0, [abs C]
    vgatherqpd ymm0, [rsi + ymm6 * 4], ymm7
    keep_ymm ymm0
    keep_ymm ymm7
    jmp past_indices
indices: db 3, 1, 0, 2, 5, 4, 7, 6
past_indices:
    checksum
    finish
