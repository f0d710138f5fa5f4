; Litmus test "store buffering": of two processors that each write, then read what the other writes, at least one sees the
; other's value when there is an MFENCE (even rounds) or an instruction with LOCK (odd ones) between.
;
; Both run through all rounds without waiting for one another; round i writes i. Who read j in round i has missed the
; other's round j + 1, and so that round must have read i or more.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 20000
%define X (FREE + 0x1000)
%define Y (FREE + 0x2000)
%define READ_0 (FREE + 0x10000)                          ; [i]: what round i read
%define READ_1 (FREE + 0x80000)
    on_all 2
    mov esi, READ_0
    mov edi, READ_1
    call compare
    xchg esi, edi
    call compare
    finish

compare:
    mov ecx, 1
.round:
    mov eax, [rsi + rcx * 4]
    cmp eax, ROUNDS
    jae .next
    cmp [rdi + rax * 4 + 4], ecx
    wrong_if b
.next:
    inc ecx
    cmp ecx, ROUNDS
    jbe .round
    ret

thread:
    mov esi, X
    mov edi, Y
    mov ebp, READ_0
    test ebx, ebx
    jz .ready
    xchg esi, edi
    mov ebp, READ_1
.ready:
    meet
    mov ecx, 1
.round:
    mov [rsi], ecx
    mfence
    mov eax, [rdi]
    mov [rbp + rcx * 4], eax
    inc ecx
    mov [rsi], ecx
    lock or dword [rsp - 8], 0
    mov eax, [rdi]
    mov [rbp + rcx * 4], eax
    inc ecx
    cmp ecx, ROUNDS
    jb .round
    ret
