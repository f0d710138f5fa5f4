; Code that changes code: its own next instruction, its page, another page, through another mapping, by REP MOVS, by
; LOCK.
;; expect rax=0x600d
%include "prelude.inc"
%define ROUTINE (FREE + 0x3000)
%define ALIAS (FREE + 0x9000)
    ; the instruction that comes next, within a block
    mov byte [.changed + 1], 7
.changed:
    mov al, 1
    check al, 7
    ; a loop whose body changes itself each time
    mov ecx, 200
    xor ebx, ebx
.loop:
    mov [.add + 2], cl
.add:
    add ebx, byte 0
    dec ecx
    jnz .loop
    mov eax, 0
    mov ecx, 200
.sum:
    movsx edx, cl
    add eax, edx
    loop .sum
    check ebx, eax

    ; another page, called again and again
    mov dword [ROUTINE], 0x909001B0      ; MOV AL, 1
    mov byte [ROUTINE + 4], 0xC3
    mov rbx, ROUTINE
    mov ebp, 300
.other:
    mov eax, ebp
    mov [ROUTINE + 1], al
    call rbx
    mov ecx, ebp
    check al, cl
    dec ebp
    jnz .other
    ; an unrelated byte of that page
    mov byte [ROUTINE + 0x800], 1
    call rbx
    check al, 1

    ; by another virtual address of the same page
    set_pte ALIAS, ROUTINE | PRESENT | WRITABLE
    mov byte [ALIAS + 1], 9
    call rbx
    check al, 9
    ; by LOCK, XCHG, REP MOVSB, SSE and PUSH
    lock inc byte [ROUTINE + 1]
    call rbx
    check al, 10
    mov cl, 11
    xchg [ROUTINE + 1], cl
    call rbx
    check al, 11
    mov esi, .bytes
    mov edi, ROUTINE
    mov ecx, 5
    rep movsb
    call rbx
    check al, 12
    movq xmm0, [.bytes8]
    movq [ROUTINE], xmm0
    call rbx
    check al, 13
    mov rdx, rsp
    mov rsp, ROUTINE + 8
    push qword [.bytes_push]
    mov rsp, rdx
    call rbx
    check al, 14
    ; over the end of a page: an instruction that lies on two
    mov dword [ROUTINE + 0xFFD], 0x345678B8  ; MOV EAX, imm32; RET
    mov word [ROUTINE + 0x1001], 0xC312
    mov rbx, ROUTINE + 0xFFD
    call rbx
    check eax, 0x12345678
    mov byte [ROUTINE + 0x1001], 0x13        ; its part on the second page
    call rbx
    check eax, 0x13345678
    mov byte [ROUTINE + 0xFFE], 0x79         ; on the first
    call rbx
    check eax, 0x13345679
    finish
.bytes: db 0xB0, 12, 0x90, 0x90, 0xC3
align 8
.bytes8: db 0xB0, 13, 0x90, 0x90, 0xC3, 0, 0, 0
.bytes_push: db 0xB0, 14, 0x90, 0x90, 0xC3, 0, 0, 0
