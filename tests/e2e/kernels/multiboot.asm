; A Multiboot 1 kernel as a flat file: prints its command line and the text and contents of its modules on COM1, writes
; what the last byte of its command line says to the exit port, and prints "exit port missing" where there is none.
bits 32
org 0x100000
MAGIC equ 0x1BADB002
FLAGS equ 0x10003
header:
    dd MAGIC, FLAGS, -(MAGIC + FLAGS)
    dd header, header, 0, stack_top, start

start:
    mov esp, stack_top
    cmp eax, 0x2BADB002
    jne stop
    mov esi, [ebx + 16]
    call print
    mov ecx, [ebx + 20]
    mov edi, [ebx + 24]
.module:
    mov al, 10
    call put
    mov esi, [edi + 8]
    call print
    mov al, ':'
    call put
    mov esi, [edi]
.byte:
    cmp esi, [edi + 4]
    je .next
    lodsb
    call put
    jmp .byte
.next:
    add edi, 16
    loop .module
    mov al, 10
    call put
    mov esi, [ebx + 16]
.last:
    lodsb
    test al, al
    jnz .last
    movzx eax, byte [esi - 2]
    sub al, '0'
    out 0xF4, eax
    mov ecx, 20000000                 ; the VM's end is on its way
.wait:
    loop .wait
    mov esi, missing
    call print
stop:
    hlt
    jmp stop

print:
    lodsb
    test al, al
    jz .end
    call put
    jmp print
.end:
    ret

put:
    push edx
    mov edx, 0x3F8
    out dx, al
    pop edx
    ret

missing: db "exit port missing", 10, 0
align 16
stack_top equ $ + 4096
