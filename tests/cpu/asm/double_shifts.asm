; SHLD and SHRD.
;; expect rax=0x2345678987654321 rdx=0x9876543210fedcba
;; undefined AF,OF
%include "prelude.inc"
    mov rax, 0x1234567898765432
    mov rbx, 0x1FFFFFFFFFFFFFFF
    shld rax, rbx, 4
    keep_flags_but AF | OF
    mov rax, 0x1234567898765432
    mov rbx, 0x1000000000000000
    shld rax, rbx, 4
    keep rax, rbx
    mov rax, 0x2345678987654321
    mov rdx, 0x876543210FEDCBA9
    mov rsi, 0x9
    shrd rdx, rsi, 4
    keep_flags_but AF | OF
    keep rdx
    mov cl, 1
    mov r8d, 0x80000000
    mov r9d, 0x80000000
    shld r8d, r9d, cl
    keep_flags_but AF
    keep r8
    mov qword [abs DATA], 0x1111
    shrd word [abs DATA], si, 3
    keep_flags_but AF | OF
    mov rdx, 0x9876543210FEDCBA
    finish
