; The end of a level-triggered interrupt is told to who sent it; that of an edge-triggered one is not. A processor tells by
; message, so it may take a while.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
; ends VECTOR: sooner or later
%macro ends 1
    mov ecx, 10000
%%wait:
    in al, LEVEL_PORT
    cmp al, %1
    je %%fine
    loop %%wait
    fail
%%fine:
%endmacro

    enable_apic
    count_interrupts 0x40
    count_interrupts 0x51
    count_interrupts 0x52
    in al, LEVEL_PORT
    check al, 0
    mov al, 0x40
    out LEVEL_PORT, al
    mov ecx, 1000
.not_taken:
    pause
    loop .not_taken
    in al, LEVEL_PORT
    check al, 0
    mov rbx, 1
    call take
    ends 0x40
    mov al, 0x51
    out LEVEL_PORT, al
    mov rbx, 2
    call take
    ends 0x51
    write_msr APIC_SELF, 0x52
    mov rbx, 3
    call take
    mov ecx, 1000
.edge:
    pause
    loop .edge
    in al, LEVEL_PORT
    check al, 0x51
    mov al, 0x40
    out LEVEL_PORT, al
    mov rbx, 4
    call take
    ends 0x40
    finish
; Until RBX interrupts were taken.
take:
    sti
.wait:
    pause
    cmp [interrupts], rbx
    jb .wait
    cli
    ret
