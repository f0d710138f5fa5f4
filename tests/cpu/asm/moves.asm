; MOV, MOVZX, MOVSX, CMOVcc, SETcc, XCHG, XLAT, CBW and the like: what becomes of the upper bits.
;; expect rax=0xffffffff80000000
%include "prelude.inc"
    mov rax, -1
    mov eax, 1
    keep rax
    mov rbx, -1
    mov bx, 0
    keep rbx
    mov rcx, 0x8081828384858687
    movzx edx, cl
    movsx rsi, cx
    movsxd rdi, ecx
    movsx r8d, cl
    keep rdx, rsi, rdi, r8
    mov r9, -1
    xor eax, eax
    cmovnz r9d, eax                ; not taken, and the upper half is cleared all the same
    keep r9
    mov r10, -1
    cmovz r10w, ax
    keep r10
    setz r11b
    setnz byte [abs DATA]
    keep r11
    mov eax, 0x80
    cbw
    keep rax
    cwde
    keep rax
    mov eax, 0x80000000
    cdq
    keep rdx
    cdqe
    db 0x90                        ; not XCHG EAX, EAX
    keep rax
    mov [abs DATA + 16], rsi
    lea rbx, [abs DATA]
    push rax
    mov al, 17
    xlatb
    keep rax
    pop rax
    nop
    finish
