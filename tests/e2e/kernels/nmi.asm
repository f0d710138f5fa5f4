; Says "waiting" on COM1 and halts with interrupts off; an NMI writes 9 to the exit port.
%include "header.inc"
COM1 equ 0x3F8
entry:
        mov rsp, stack_top
        mov eax, on_nmi
        mov edi, table + 2 * 16
        mov [rdi], ax
        mov ecx, cs
        mov [rdi + 2], cx
        mov word [rdi + 4], 0x8E00
        shr eax, 16
        mov [rdi + 6], ax
        lidt [table_pointer]
        mov esi, message
        mov dx, COM1
.put:
        lodsb
        test al, al
        jz .wait
        out dx, al
        jmp .put
.wait:
        hlt
        jmp .wait
on_nmi:
        mov al, 9
        out 0xF4, al
message:
        db "waiting", 10, 0
table_pointer:
        dw 3 * 16 - 1
        dq table
table:
        times 3 * 16 db 0
end_of_file:
stack_top equ end_of_file + 0x1000
