; Two processors run the same new code for the first time at the same time, over and over: all routines are rewritten between
; the rounds by one of them.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUTINES 640
%define ROUNDS 8
%define CODE (FREE + 0x10000)                            ; one routine every 64 bytes
    on_all 2
    check dword [sums], (ROUTINES * (ROUTINES - 1) / 2 + ROUTINES * 1000) * ROUNDS + ROUTINES * (ROUNDS * (ROUNDS - 1) / 2)
    mov eax, [sums]
    check dword [sums + 4], eax
    finish

thread:
    mov r12d, ebx                                        ; CPUID writes EBX
    xor ebp, ebp
.round:
    test r12d, r12d
    jnz .written
    ; MOV EAX, number + 1000 + round; RET
    mov edi, CODE
    lea eax, [rbp + 1000]
    mov ecx, ROUTINES
.write:
    mov byte [rdi], 0xB8
    mov [rdi + 1], eax
    mov byte [rdi + 5], 0xC3
    add edi, 64
    inc eax
    dec ecx
    jnz .write
.written:
    meet
    xor eax, eax
    cpuid                                                ; as it has to be after code of another processor's
    imul esi, r12d, ROUTINES / 2                         ; the second one starts in the middle
    mov r13d, ROUTINES
.run:
    mov edi, esi
    shl edi, 6
    add edi, CODE
    call rdi
    add [sums + r12 * 4], eax
    inc esi
    cmp esi, ROUTINES
    jb .on
    xor esi, esi
.on:
    dec r13d
    jnz .run
    meet
    inc ebp
    cmp ebp, ROUNDS
    jb .round
    ret
align 64
sums: dd 0, 0
