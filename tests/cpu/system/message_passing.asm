; Litmus test "message passing": who sees the flag of a round sees its data, on the same page and on another. Stores are
; seen in order, loads are done in order (Intel SDM vol. 3, 9.2.3.2).
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 100000
%define DATA (FREE + 0x1000)
%define NEAR (FREE + 0x1800)
%define FLAG (FREE + 0x2000)
    on_all 2
    finish

thread:
    meet
    test ebx, ebx
    jnz .reader
    mov eax, 1
.write:
    mov [DATA], eax
    mov [NEAR], eax
    mov [FLAG], eax
    inc eax
    cmp eax, ROUNDS
    jbe .write
    ret
.reader:
    mov eax, [FLAG]
    mov ecx, [NEAR]
    mov edx, [DATA]
    cmp ecx, eax
    wrong_if b
    cmp edx, ecx
    wrong_if b
    cmp eax, ROUNDS
    jne .reader
    ret
