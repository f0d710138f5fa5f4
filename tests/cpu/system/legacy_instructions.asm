; Instructions that 64-bit code does not have, or has otherwise: decimals, segments with pointers, ARPL, JCXZ, 16-bit addresses.
;; expect rax=0x600d
%include "protected.inc"
; decimal {INSTRUCTION}, AX before, AX after, FLAGS after: of CF, PF, AF, ZF, SF as far as they are defined
%macro decimal 4
    push dword 0x11                           ; CF, AF
    popfd
    mov eax, %2
    %1
    pushfd
    pop ecx
    check eax, %3
    and ecx, %4
    check ecx, %4
%endmacro
    decimal {aaa}, 0x0009, 0x010F, 0x11
    decimal {aas}, 0x0205, 0x000F, 0x11
    decimal {daa}, 0x0082, 0x00E8, 0x11
    decimal {das}, 0x0082, 0x001C, 0x11
    clc
    mov eax, 0x0123
    aad
    check eax, 0x0D + 0x20
    mov eax, 0x49
    aam
    check eax, 0x703
    aam 16
    check eax, 0x003
    faults DE, 0, {aam 0}
    stc
    db 0xD6                                   ; SALC
    check al, 0xFF
    clc
    db 0xD6
    check al, 0
    xor ax, ax
    mov ecx, 0x10000
    jcxz .zero
    fail
.zero:
    mov ecx, 0x10001
    jcxz .not_zero
    jmp .one
.not_zero:
    fail
.one:
    mov ax, 0x10
    mov bx, 0x3
    arpl ax, bx
    check ax, 0x13
    check_cc z
    arpl ax, bx
    check_cc nz
    ; pointers
    mov dword [FREE], 0x11223344
    mov word [FREE + 4], KERNEL_DS
    lfs eax, [FREE]
    check eax, 0x11223344
    mov ax, fs
    check ax, KERNEL_DS
    lgs ebx, [FREE]
    mov ax, gs
    check ax, KERNEL_DS
    mov edx, esp
    mov [FREE], edx
    lss esp, [FREE]
    check esp, edx
    lds esi, [FREE]
    les edi, [FREE]
    check esi, edi
    mov word [FREE + 4], 0x100
    faults GP, 0x100, {lgs ebx, [FREE]}
    check ebx, 0x11223344
    ; 16-bit addresses, and a stack of 16 bits
    mov bx, 0x8000
    mov si, 0x0010
    mov byte [0x8012], 0x5A
    mov al, [bx + si + 2]
    check al, 0x5A
    a16 mov cl, [0x8012]
    check cl, 0x5A
    set_descriptor SPARE, 0, DATA_ACCESS, 0xFFFF, 0
    mov ax, SPARE
    mov ecx, esp
    mov ss, ax
    mov esp, 0x12340004
    push dword 0x1234
    push word 0x55                            ; wraps around
    mov eax, esp
    mov dx, KERNEL_DS
    mov ss, dx
    mov esp, ecx
    check eax, 0x1234FFFE
    pushad
    popad
    pusha
    popa
    enter 16, 2
    leave
    finish
