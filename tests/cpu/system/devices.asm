; Device memory and ports: each size, what leaves the device, string instructions.
;; expect rax=0x600d
%include "prelude.inc"
%define PAGE (FREE + 0x10000)
    set_pte PAGE, DEVICE | PRESENT | WRITABLE
    mov rax, 0x8877665544332211
    mov [PAGE], rax
    check [PAGE], rax
    check dword [PAGE + 4], 0x88776655
    check word [PAGE + 1], 0x3322
    check byte [PAGE + 7], 0x88
    mov byte [PAGE + 3], 0xAA
    mov word [PAGE + 5], 0xCCBB
    mov rbx, [PAGE]
    mov rax, 0x88CCBB55AA332211
    check rbx, rax
    movzx ecx, byte [PAGE + 3]
    check ecx, 0xAA
    lock add dword [PAGE], 1
    check dword [PAGE], 0xAA332212
    xchg [PAGE + 4], ecx
    check ecx, 0x88CCBB55
    ; nothing is there
    mov rax, [PAGE + 0x100]
    check rax, -1
    mov [PAGE + 0x100], rax
    ; strings to and from it
    mov rax, 0x0102030405060708
    mov [FREE], rax
    mov esi, FREE
    mov edi, PAGE
    mov ecx, 8
    rep movsb
    check [PAGE], rax
    mov esi, PAGE
    mov edi, FREE + 0x20
    mov ecx, 2
    rep movsd
    check [FREE + 0x20], rax
    check esi, PAGE + 8
    ; ports
    mov al, 0x12
    out QUEUE_PORT, al
    mov ax, 0x3456
    out QUEUE_PORT, ax
    mov eax, 0x789ABCDE
    out QUEUE_PORT, eax
    in al, QUEUE_PORT
    check al, 0x12
    in ax, QUEUE_PORT
    check ax, 0x3456
    in eax, QUEUE_PORT
    check eax, 0x789ABCDE
    mov dx, QUEUE_PORT
    mov esi, FREE
    mov ecx, 8
    rep outsb
    mov edi, FREE + 0x40
    mov ecx, 2
    rep insd
    mov rax, 0x0102030405060708
    check [FREE + 0x40], rax
    check edi, FREE + 0x48
    check ecx, 0
    ; nothing is there
    in al, 0xC0
    check al, 0xFF
    finish
