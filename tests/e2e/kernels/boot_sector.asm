; A boot sector: prints by BIOS and by COM1, reads its second sector by BIOS, waits for two ticks of the BIOS' clock,
; which are interrupts of the 8254 through the 8259A, and writes what the second sector begins with to the exit port.
bits 16
org 0x7C00
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7C00
    mov [drive], dl
    mov si, text
.next:
    lodsb
    test al, al
    jz .printed
    mov ah, 0x0E
    xor bx, bx
    int 0x10
    jmp .next
.printed:
    mov ax, 0x0201               ; one sector to 0x8000, from cylinder 0, head 0, sector 2
    mov bx, 0x8000
    mov cx, 2
    mov dh, 0
    mov dl, [drive]
    int 0x13
    jc failed
    sti
    mov ebx, [0x46C]
    add ebx, 2
.tick:
    hlt
    cmp [0x46C], ebx
    jb .tick
    mov al, [0x8000]
    out 0xF4, al
failed:
    hlt
    jmp failed
drive: db 0
text: db "boot sector runs", 13, 10, 0
times 510 - ($ - $$) db 0
    dw 0xAA55
    db 42
times 1024 - ($ - $$) db 0
