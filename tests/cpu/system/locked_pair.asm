; CMPXCHG16B with LOCK by two processors loses nothing, and nobody sees halves of two values.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 4000
    on_all 2
    check qword [pair], 2 * ROUNDS
    check qword [pair + 8], 2 * ROUNDS
    finish

thread:
    meet
    mov r12d, ROUNDS
    mov rax, [pair]
    mov rdx, [pair + 8]
.round:
    lea rbx, [rax + 1]
    lea rcx, [rdx + 1]
    lock cmpxchg16b [pair]
    je .done
    cmp rax, rdx                                         ; read by CMPXCHG16B: both at once
    wrong_if ne
    jmp .round
.done:
    mov rax, rbx
    mov rdx, rcx
    dec r12d
    jnz .round
    ret

align 64
pair: dq 0, 0
