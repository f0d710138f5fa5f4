; One processor changes code that the other runs all the time; the other sees it soon, and never anything else.
;; expect rax=0x600d
;; cpus 2
%include "prelude.inc"
%include "apic.inc"
%include "trampoline.inc"
%define ROUTINE (FREE + 0x3000)
    mov esi, trampoline
    mov edi, TRAMPOLINE
    mov ecx, trampoline_end - trampoline
    rep movsb
    mov rax, 0x9090C300000000B8               ; MOV EAX, 0; RET
    mov [ROUTINE], rax
    enable_apic
    write_msr APIC_ICR, (1 << 32 | 0xC500)
    write_msr APIC_ICR, (1 << 32 | 0xC600 | TRAMPOLINE >> 12)
    mov ebx, 1
.next:
    mov eax, ebx
    mov [ROUTINE + 1], al                     ; one byte: never torn
.until_seen:
    pause
    cmp [seen], ebx
    jne .until_seen
    inc ebx
    cmp ebx, 100
    jbe .next
    finish
align 8
seen: dq 0
second:
    mov ax, KERNEL_DS
    mov ss, ax
    mov rsp, STACK - 0x4000
    mov rbx, ROUTINE
    xor ecx, ecx
.run:
    call rbx
    mov edx, eax
    sub edx, ecx
    cmp edx, 1                                ; the same as before or the next
    ja .wrong
    mov ecx, eax
    mov [seen], eax
    jmp .run
.wrong:
    mov eax, 0xBAD2
    out EXIT_PORT, al
