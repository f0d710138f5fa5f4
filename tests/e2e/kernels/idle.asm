; Says that it is there, then sleeps with interrupts off: a guest that costs nothing.
%include "header.inc"
entry:
        mov dx, 0x3f8
        lea rsi, [text]
.next:
        lodsb
        test al, al
        jz .sleep
        out dx, al
        jmp .next
.sleep:
        hlt
        jmp .sleep
text:   db "idle", 10, 0
end_of_file:
