; PUSHes that run over the beginning of what is mapped.
;; expect exception=14 cr2=0x101ffff8 rsp=0x10200000 rax=0x1111 rcx=0x2222
;; mem 0x10200000: 22 22 00 00 00 00 00 00 11 11 00 00 00 00 00 00
%include "prelude.inc"
    mov eax, 0x1111
    mov ecx, 0x2222
    mov rsp, DATA + 16
    push rax
    push rcx
    push rax
    push rcx
    finish
