; NMIs: whatever IF says, not nested before IRET, one kept meanwhile; out of HLT; IRET within the handler lets the next in.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
%define SELF_NMI (1 << 18 | 4 << 8)           ; shorthand self, delivery mode NMI
%define SEND_NMI write_msr APIC_ICR, SELF_NMI
    enable_apic
    set_gate NMI, on_nmi, 0x8E, 0
    cli
    SEND_NMI
    nop
    check qword [nmis], 1
    check qword [nmi_cs], KERNEL_CS

    ; another one within the handler waits for IRET, and a third is lost in it
    mov qword [nested], 1
    SEND_NMI
    nop
    check qword [nmis], 3
    check qword [deepest], 1

    ; an exception's IRET within the handler ends the blocking: the next NMI nests
    set_gate UD, on_skip, 0x8E, 0
    mov qword [nested], 2
    SEND_NMI
    nop
    check qword [nmis], 5
    check qword [deepest], 2
    mov qword [nested], 0

    ; on a stack of its own
    set_gate NMI, on_nmi, 0x8E, 1
    SEND_NMI
    nop
    check qword [nmis], 6
    mov rax, IST1_TOP - 40
    check [nmi_rsp], rax

    ; an IRET that faults, and POPF, MOV SS, STI do not matter
    sti
    cli
    mov ax, KERNEL_DS
    mov ss, ax
    SEND_NMI
    nop
    check qword [nmis], 7
    finish

on_skip:                                      ; over UD2
    add qword [rsp], 2
    iretq
on_nmi:
    push rax
    push rcx
    push rdx
    inc qword [nmis]
    inc qword [depth]
    mov rax, [depth]
    cmp rax, [deepest]
    jb .not_deeper
    mov [deepest], rax
.not_deeper:
    lea rax, [rsp + 24]
    mov [nmi_rsp], rax
    mov rax, [rsp + 32]
    mov [nmi_cs], rax
    mov rax, [nested]
    mov qword [nested], 0
    cmp rax, 1
    jne .perhaps_two
    SEND_NMI
    SEND_NMI
    nop
.perhaps_two:
    cmp rax, 2
    jne .out
    SEND_NMI
    nop
    ud2
    nop
.out:
    dec qword [depth]
    pop rdx
    pop rcx
    pop rax
    iretq
align 8
nmis: dq 0
nmi_cs: dq 0
nmi_rsp: dq 0
depth: dq 0
deepest: dq 0
nested: dq 0
