; AH, CH, DH and BH: with each other, with memory, with the shift count, and not with REX.
;; expect rax=0x1100ff00 rbx=0x77886600
%include "prelude.inc"
    mov eax, 0x11223344
    mov ecx, 0x05060708
    mov edx, 0x0A0B0C0D
    mov ebx, 0x77886655
    xchg ah, ch
    keep rax, rcx
    add dh, bh
    keep_flags
    mov [abs DATA], bh
    mov dh, [abs DATA]
    keep rdx
    shl ch, cl
    keep_flags_but CF | AF | OF
    keep rcx
    mov al, ch
    movzx ebp, ah
    movsx esi, dh
    keep rbp, rsi
    cmp ch, [abs DATA]
    keep_flags
    setz ah
    mov spl, spl
    imul ah
    keep rax
    mov ah, 0xFF
    xor al, al
    mov bl, 0
    mov r9b, bl
    and eax, 0x1100FFFF
    or eax, 0x11000000
    finish
