; A boot sector that reboots as old programs do: by a jump to where the BIOS starts.
bits 16
org 0x7C00
    jmp 0xFFFF:0
times 510 - ($ - $$) db 0
    dw 0xAA55
