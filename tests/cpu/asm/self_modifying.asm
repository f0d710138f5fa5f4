; A program that changes its own code: the next instruction, a loop's body, a routine, code on another page.
;; expect rax=0x7 rbx=0x46 rcx=0x0
%include "prelude.inc"
    mov byte [rel .next + 1], 7
.next:
    mov al, 1
    movzx eax, al
    keep rax
    xor ebx, ebx
    mov ecx, 20
.loop:
    mov [rel .add + 2], cl
.add:
    add ebx, byte 0
    loop .loop
    keep rbx
    mov rdi, 0x10008000
    mov dword [rdi], 0xC300B0        ; MOV AL, 0; RET
    mov ecx, 100
.call:
    mov [rdi + 1], cl
    call rdi
    movzx edx, al
    sub edx, ecx
    or ebx, edx
    loop .call
    keep rbx
    mov ebx, 0x46
    mov eax, 7
    finish
