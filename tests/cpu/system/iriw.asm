; Litmus test "independent reads of independent writes": two readers agree on the order of two writers' stores (Intel SDM
; vol. 3, 9.2.3.7).
;
; The writers count X and Y up. One reader notes X, then Y; the other Y, then X. Where the second has seen more of Y than the
; first had, it must have seen as much of X: else each saw one store before the other's. Both only ever see more, so the
; first such note of the second decides.
;; expect rax=0x600d
;; cpus 4
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 15000
%define X (FREE + 0x1000)
%define Y (FREE + 0x2000)
%define FIRST (FREE + 0x10000)                           ; X, Y
%define SECOND (FREE + 0x80000)                          ; Y, X
    on_all 4
    xor ecx, ecx
    xor edx, edx
.note:
    mov eax, [FIRST + rcx * 8 + 4]
.search:
    cmp [SECOND + rdx * 8], eax
    ja .found
    inc edx
    cmp edx, ROUNDS
    jb .search
    finish
.found:
    mov eax, [SECOND + rdx * 8 + 4]
    cmp eax, [FIRST + rcx * 8]
    wrong_if b
    inc ecx
    cmp ecx, ROUNDS
    jb .note
    finish

thread:
    meet
    xor ecx, ecx
    mov esi, X
    mov edi, Y
    mov ebp, FIRST
    cmp ebx, 1
    jb .write
    xchg esi, edi
    je .write
    cmp ebx, 3
    je .read
    xchg esi, edi
    jmp .read
.write:
    inc dword [rsi]
    cmp dword [readers_done], 2
    jne .write
    ret
.read:
    mov eax, SECOND
    cmp ebx, 3
    cmove ebp, eax
.again:
    mov eax, [rsi]
    mov edx, [rdi]
    mov [rbp + rcx * 8], eax
    mov [rbp + rcx * 8 + 4], edx
    inc ecx
    cmp ecx, ROUNDS
    jb .again
    lock inc dword [readers_done]
    ret
align 64
readers_done: dd 0
