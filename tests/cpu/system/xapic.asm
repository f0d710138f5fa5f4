; The local APIC's modes; in xAPIC mode, by memory, its identity, IPIs, priorities, the timer, EOI.
;; expect rax=0x600d
%include "prelude.inc"
%define APIC 0xFEE00000
%define ID 0x20
%define VERSION 0x30
%define TPR 0x80
%define PPR 0xA0
%define EOI 0xB0
%define LDR 0xD0
%define DFR 0xE0
%define SPURIOUS 0xF0
%define ISR 0x100
%define IRR 0x200
%define ICR 0x300
%define ICR_HIGH 0x310
%define LVT_TIMER 0x320
%define INITIAL 0x380
%define CURRENT 0x390
%define DIVIDE 0x3E0
    ; its page, by a page directory of the fourth GiB
    mov dword [0x400000 + 503 * 8], 0xFEE00000 | LARGE | PRESENT | WRITABLE | 0x10
    mov rax, [PML4]
    and eax, ~0xFFF
    mov qword [rax + 24], 0x400000 | PRESENT | WRITABLE
    ; x2APIC mode, from which the way back is by way of no APIC at all
    read_msr 0x1B
    or eax, 0xC00
    mov ecx, 0x1B
    wrmsr
    read_msr 0x802
    check eax, 0
    read_msr 0x1B
    and eax, ~0x400
    faults GP, 0, {wrmsr}
    and eax, ~0xC00
    wrmsr
    mov ecx, 0x802
    faults GP, 0, {rdmsr}
    read_msr 0x1B
    or eax, 0x800
    wrmsr
    mov r15d, APIC
    mov dword [r15 + SPURIOUS], 0x1FF
    check dword [r15 + ID], 0
    mov eax, [r15 + VERSION]
    and eax, 0xFF
    cmp eax, 0x10
    check_cc ae
    set_gate 0x40, on_interrupt, 0x8E, 0
    set_gate 0x70, on_interrupt, 0x8E, 0
    ; a self IPI by shorthand
    cli
    mov dword [r15 + ICR], 1 << 18 | 0x40
    check dword [r15 + IRR + 0x20], 1
    sti
    nop
    check qword [interrupts], 1
    check dword [r15 + IRR + 0x20], 0
    check dword [seen_isr], 1
    check dword [seen_ppr], 0x40
    check dword [r15 + ISR + 0x20], 0
    ; by its id, and to a logical destination in flat mode
    mov dword [r15 + ICR_HIGH], 0
    mov dword [r15 + ICR], 0x40
    nop
    check qword [interrupts], 2
    mov dword [r15 + DFR], 0xFFFFFFFF
    mov dword [r15 + LDR], 1 << 24
    mov dword [r15 + ICR_HIGH], 1 << 24
    mov dword [r15 + ICR], 1 << 11 | 0x40
    nop
    check qword [interrupts], 3
    mov dword [r15 + ICR_HIGH], 2 << 24
    mov dword [r15 + ICR], 1 << 11 | 0x40    ; nobody's
    nop
    check qword [interrupts], 3
    ; and in cluster mode
    mov dword [r15 + DFR], 0x0FFFFFFF
    mov dword [r15 + LDR], 0x12 << 24
    mov dword [r15 + ICR_HIGH], 0x12 << 24
    mov dword [r15 + ICR], 1 << 11 | 0x40
    nop
    check qword [interrupts], 4
    mov dword [r15 + ICR_HIGH], 0x22 << 24
    mov dword [r15 + ICR], 1 << 11 | 0x40
    nop
    check qword [interrupts], 4
    ; the task priority
    mov dword [r15 + TPR], 0x50
    mov dword [r15 + ICR], 1 << 18 | 0x40
    nop
    check qword [interrupts], 4
    mov rax, cr8
    check eax, 5
    mov dword [r15 + ICR], 1 << 18 | 0x70
    nop
    check qword [interrupts], 5
    mov dword [r15 + TPR], 0
    nop
    check qword [interrupts], 6
    ; the timer, one shot
    mov dword [r15 + DIVIDE], 0xB
    mov dword [r15 + LVT_TIMER], 0x40
    mov dword [r15 + INITIAL], 1000
.wait:
    cli
    cmp qword [interrupts], 7
    je .fired
    sti
    hlt
    jmp .wait
.fired:
    check dword [r15 + CURRENT], 0
    finish

align 8
interrupts: dq 0
seen_isr: dd 0
seen_ppr: dd 0
on_interrupt:
    push rax
    inc qword [interrupts]
    mov eax, [r15 + ISR + 0x20]
    mov [seen_isr], eax
    mov eax, [r15 + PPR]
    and eax, 0xF0
    mov [seen_ppr], eax
    mov dword [r15 + EOI], 0
    pop rax
    iretq
