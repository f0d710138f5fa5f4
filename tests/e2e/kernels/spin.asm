; Says that it is there, then spins with interrupts off, deaf to the power button.
%include "header.inc"
entry:
        mov dx, 0x3f8
        lea rsi, [text]
.next:
        lodsb
        test al, al
        jz .spin
        out dx, al
        jmp .next
.spin:
        jmp .spin
text:   db "spinning", 10, 0
end_of_file:
