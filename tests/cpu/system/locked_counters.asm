; Read-modify-write with LOCK by two processors loses nothing: XADD, CMPXCHG, INC, a lock by XCHG, operands on two
; cache lines; and plain writes to neighbouring bytes do not disturb one another.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 4000
    on_all 2
    check dword [added], 2 * ROUNDS
    check dword [exchanged], 2 * ROUNDS
    check word [narrow], 2 * ROUNDS
    check dword [guarded], 2 * ROUNDS
    check dword [two_lines + 62], 2 * ROUNDS
    check byte [neighbours], ROUNDS & 0xFF
    check byte [neighbours + 1], ROUNDS & 0xFF
    finish

thread:
    meet
    mov r12d, ROUNDS
    mov rbp, -1
.round:
    mov eax, 1
    lock xadd [added], rax
    cmp rax, rbp                                         ; what comes back only grows
    wrong_if le
    mov rbp, rax

.exchange:
    mov eax, [exchanged]
    lea ecx, [rax + 1]
    lock cmpxchg [exchanged], ecx
    jne .exchange

    lock inc word [narrow]
    lock add dword [two_lines + 62], 1
    inc byte [neighbours + rbx]

.take:
    mov eax, 1
    xchg [taken], eax
    test eax, eax
    jz .got
    pause
    jmp .take
.got:
    inc dword [guarded]
    mov dword [taken], 0
    dec r12d
    jnz .round

    ret

align 64
added: dq 0
align 64
exchanged: dd 0
align 64
narrow: dw 0
align 64
two_lines: times 128 db 0
neighbours: dw 0
align 64
taken: dd 0
align 64
guarded: dd 0
