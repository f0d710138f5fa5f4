; Read-modify-write with LOCK of an operand on two pages, by two processors, loses nothing.
; KVM's emulator makes an ordinary write of it.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
;; needs processor
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 200
%define TWO_PAGES (FREE + 0x2FFE)
    on_all 2
    check dword [TWO_PAGES], 2 * ROUNDS
    finish

thread:
    meet
    mov r12d, ROUNDS
.round:
    lock inc dword [TWO_PAGES]
    dec r12d
    jnz .round
    ret
