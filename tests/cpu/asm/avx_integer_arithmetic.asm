; AVX2 on integers, 32 and 16 bytes: arithmetic, comparisons, logic.
;; needs avx2
;; expect rax=0xc2da0fef
%include "prelude.inc"
%include "vectors.inc"
    avx_binary vpaddb, vpaddw, vpaddd, vpaddq, vpaddsb, vpaddsw, vpaddusb, vpaddusw, vpsubb, vpsubw, vpsubd
    avx_binary vpsubq, vpsubsb, vpsubsw, vpsubusb, vpsubusw, vpavgb, vpavgw, vpmullw, vpmulhw, vpmulhuw
    avx_binary vpmulhrsw, vpmulld, vpmuludq, vpmuldq, vpmaddwd, vpmaddubsw, vpsadbw, vphaddw, vphaddd
    avx_binary vphaddsw, vphsubw, vphsubd, vphsubsw, vpsignb, vpsignw, vpsignd
    avx_binary vpcmpeqb, vpcmpeqw, vpcmpeqd, vpcmpeqq, vpcmpgtb, vpcmpgtw, vpcmpgtd, vpcmpgtq, vpmaxsb
    avx_binary vpmaxsw, vpmaxsd, vpmaxub, vpmaxuw, vpmaxud, vpminsb, vpminsw, vpminsd, vpminub, vpminuw
    avx_binary vpminud, vpand, vpandn, vpor, vpxor
    avx_unary vpabsb, vpabsw, vpabsd
    avx_immediate 0x2D, vmpsadbw
    vmovdqa ymm1, [abs A]
    vphminposuw xmm0, [abs B]
    keep_ymm ymm0
    vptest ymm1, [abs B]
    keep_flags
    vpmovmskb eax, ymm1
    keep rax
    vmovdqa xmm2, [abs B]
    vpclmulqdq xmm0, xmm1, xmm2, 0x01
    keep_ymm ymm0
    vaesenc xmm0, xmm1, xmm2
    keep_ymm ymm0
    vaesenclast xmm0, xmm1, xmm2
    keep_ymm ymm0
    vaesdec xmm0, xmm1, xmm2
    keep_ymm ymm0
    vaesdeclast xmm0, xmm1, xmm2
    keep_ymm ymm0
    vaesimc xmm0, xmm2
    keep_ymm ymm0
    vaeskeygenassist xmm0, xmm2, 0x1B
    keep_ymm ymm0
    mov eax, 7
    mov edx, 9
    vpcmpestri xmm1, xmm2, 0x0C
    keep rcx
    vpcmpestrm xmm1, xmm2, 0x44
    keep_xmm xmm0
    vpcmpistri xmm1, [abs C], 0x08
    keep rcx
    vpcmpistrm xmm1, xmm2, 0x40
    keep_xmm xmm0
    checksum
    finish
