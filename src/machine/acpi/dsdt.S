// The compiled DSDT, as bytes from pileus_dsdt to pileus_dsdt_end.
    .section .rodata
    .global pileus_dsdt
    .global pileus_dsdt_end
    .balign 16
pileus_dsdt:
    .incbin "dsdt.aml"
pileus_dsdt_end:
    .section .note.GNU-stack, "", @progbits
