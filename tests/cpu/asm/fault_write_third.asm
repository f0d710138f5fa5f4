; Stores by one base, the third of which runs over the end of what is mapped.
;; expect exception=14 cr2=0x10210000
;; mem 0x1020fff0: 11 11 00 00 00 00 00 00 11 11 00 00 00 00 00 00
%include "prelude.inc"
    mov eax, 0x1111
    mov rbx, DATA_END - 16
    mov [rbx], rax
    mov [rbx + 8], rax
    mov [rbx + 9], rax
    mov [rbx + 4], rax
    cmp eax, ecx
    finish
