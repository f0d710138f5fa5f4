; Reads and writes a port and an address that nothing answers at, without end. A read must give all ones; otherwise
; it says so.
%include "header.inc"
%define NO_PORT 0x1234
%define NO_DEVICE 0xfd000000
entry:
        mov esp, BASE + 0x8000
        mov ebx, NO_DEVICE
        mov al, "H"
        call say
.again:
        mov dx, NO_PORT
        in eax, dx
        cmp eax, -1
        jne .wrong
        out dx, eax
        mov eax, [rbx]
        cmp eax, -1
        jne .wrong
        mov [rbx], ecx
        inc rcx
        test ecx, 0xffff
        jnz .again
        mov al, "."
        call say
        jmp .again
.wrong:
        mov al, "W"
        call say
        hlt
say:
        mov dx, 0x3f8
        out dx, al
        ret
end_of_file:
