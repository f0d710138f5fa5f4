; MUL, IMUL, DIV, IDIV at all sizes.
;; expect rax=0xfffffffffffffffd rdx=0xffffffffffffffff
;; undefined CF,PF,AF,ZF,SF,OF
%include "prelude.inc"
%define NOT_DEFINED (PF | AF | ZF | SF)
    mov eax, 0x1234FF
    mov bl, 0xFF
    mul bl
    keep_flags_but NOT_DEFINED
    keep rax
    mov ax, -3
    mov cx, 7
    imul cx
    keep_flags_but NOT_DEFINED
    keep rax, rdx
    mov rax, -1
    mov rdx, -1
    mov ecx, 2
    mul ecx                  ; clears the upper halves of RAX and RDX
    keep_flags_but NOT_DEFINED
    keep rax, rdx
    mov rax, 1 << 63
    mov rcx, -1
    imul rcx
    keep_flags_but NOT_DEFINED
    keep rax, rdx
    imul r8, rcx, 0x7FFFFFFF
    keep_flags_but NOT_DEFINED
    imul r9d, ecx, -128
    keep_flags_but NOT_DEFINED
    keep r8, r9
    mov rdx, 1
    xor eax, eax
    mov rcx, 3
    div rcx
    keep rax, rdx
    mov eax, 0x7F01
    mov cl, 0x80
    div cl
    keep rax
    mov rax, -13
    cqo
    mov rcx, 4
    idiv rcx                 ; towards zero: -3, -1
    finish
