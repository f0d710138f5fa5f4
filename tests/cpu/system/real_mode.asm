; From protected mode back to real mode: segments, far calls, interrupts through the table at 0, 32-bit operands and addresses
; ("unreal" limits too), faults; and into protected mode again.
;; expect rax=0x600d
%include "protected.inc"
%define CODE16 SPARE
%define DATA16 (SPARE + 8)
%define LOW 0xA000                            ; where the 16-bit code is copied
%define AT16(label) (LOW + (label) - sixteen)
    mov esi, sixteen
    mov edi, LOW
    mov ecx, sixteen_end - sixteen
    rep movsb
    set_descriptor CODE16, 0, CODE_ACCESS, 0xFFFF, 0
    set_descriptor DATA16, 0, DATA_ACCESS, 0xFFFF, 0
    mov [kept_stack], esp
    lidt [real_idt]
    jmp CODE16:AT16(sixteen)

align 16
sixteen:
bits 16
    mov ax, DATA16                            ; limits of real mode
    mov ss, ax
    mov es, ax
    mov ax, KERNEL_DS                         ; but DS keeps its 4 GiB
    mov ds, ax
    mov eax, cr0
    and al, ~1
    mov cr0, eax
    jmp 0:AT16(.real)
.real:
    xor ax, ax
    mov ss, ax
    mov es, ax
    mov sp, 0x9000
    mov ds, ax
    ; a segment is 16 bytes times its number
    mov ax, 0x1234
    mov es, ax
    mov byte [es:5], 0x77
    mov esi, 0x12345                          ; unreal: beyond 64 KiB
    cmp byte [esi], 0x77
    jne near .wrong
    ; far call and return, 16 and 32 bits wide
    call 0:AT16(.near_by)
    cmp sp, 0x9000
    jne near .wrong
    call dword 0:AT16(.near_by32)
    cmp sp, 0x9000
    jne near .wrong
    ; INT through the table, IRET
    mov word [0x60 * 4], AT16(.on_int)
    mov word [0x60 * 4 + 2], 0
    mov cx, 1
    stc
    int 0x60
    jnc near .wrong
    cmp cx, 2
    jne near .wrong
    ; divide error and a limit: the frame has the instruction's own address and no error code
    mov word [0], AT16(.on_fault)
    mov word [2], 0
    mov word [13 * 4], AT16(.on_fault)
    mov word [13 * 4 + 2], 0
    mov word [12 * 4], AT16(.on_fault)
    mov word [12 * 4 + 2], 0
    xor cx, cx
    mov word [AT16(.resume)], AT16(.divided)
.divides:
    div cl
.divided:
    cmp word [AT16(.faulted)], AT16(.divides)
    jne near .wrong
    mov word [AT16(.resume)], AT16(.was_beyond)
.beyond:
    mov ax, [es:0xFFFF]
.was_beyond:
    cmp word [AT16(.faulted)], AT16(.beyond)
    jne near .wrong
    mov word [AT16(.resume)], AT16(.was_stack)
.stack:
    mov ax, [ss:0xFFFF]
.was_stack:
    cmp word [AT16(.faulted)], AT16(.stack)
    jne near .wrong
    ; not here
    mov word [6 * 4], AT16(.on_fault)
    mov word [6 * 4 + 2], 0
    mov word [AT16(.resume)], AT16(.had_no_ltr)
.no_ltr:
    ltr ax
.had_no_ltr:
    cmp word [AT16(.faulted)], AT16(.no_ltr)
    jne near .wrong
    ; BCD, PUSHA, ENTER, LDS, string instructions with 16-bit counts
    mov ax, 0x19
    add al, 0x28
    daa
    cmp al, 0x47
    jne near .wrong
    pusha
    popa
    enter 4, 0
    leave
    mov word [0x500], 0x1111
    mov word [0x502], 0x2222
    lds si, [0x500]
    mov ax, ds
    cmp ax, 0x2222
    jne near .wrong
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ecx, 0x10004                          ; CX counts
    mov di, 0x510
    mov al, 0x55
    cld
    rep stosb
    cmp ecx, 0x10000
    jne near .wrong
    cmp di, 0x514
    jne near .wrong
    smsw ax
    test al, 1
    jnz near .wrong
    jmp .back
.near_by:
    retf
.near_by32:
    o32 retf
.on_int:
    inc cx
    iret
.on_fault:                                    ; goes on at .resume
    push bp
    mov bp, sp
    mov ax, [bp + 2]
    mov [AT16(.faulted)], ax
    pop bp
    add sp, 6
    jmp near [AT16(.resume)]
.wrong:
    mov eax, 0xBAD16
    out EXIT_PORT, al
.back:
    lgdt [AT16(.gdt)]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword KERNEL_CS:AT(thirty_two)
align 4
.faulted: dw 0
.resume: dw 0
.gdt:
    dw 0xFF
    dd AT(gdt)
sixteen_end:
bits 32
thirty_two:
    mov ax, KERNEL_DS
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, [kept_stack]
    lidt [idt_pointer]
    faults UD, 0, {ud2}
    check byte [0x12345], 0x77
    finish
align 4
kept_stack: dd 0
real_idt:
    dw 0x3FF
    dd 0
