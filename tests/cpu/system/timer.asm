; The local APIC's timer, one-shot, periodic and by TSC deadline, waited for by HLT and by spinning.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
    enable_apic
    count_interrupts 0x40
    write_msr APIC_DIVIDE, 0xB             ; by 1
    ; one-shot: one interrupt, and RIP behind HLT
    write_msr APIC_TIMER, 0x40
    write_msr APIC_INITIAL, 100000
    sti                                    ; HLT is in its shadow: the interrupt cannot come before
    hlt
.behind:
    check qword [interrupts], 1
    check qword [interrupt_rip], .behind
    read_msr APIC_CURRENT
    check eax, 0
    ; masked: it counts, but does not interrupt
    write_msr APIC_TIMER, 0x10040
    write_msr APIC_INITIAL, 1000
.counting:
    read_msr APIC_CURRENT
    test eax, eax
    jnz .counting
    check qword [interrupts], 1
    ; periodic: an endless loop is interrupted too
    write_msr APIC_TIMER, 0x20040
    write_msr APIC_INITIAL, 100000
.spin:
    cmp qword [interrupts], 5
    jb .spin
    hlt
    write_msr APIC_INITIAL, 0
    mov rbx, [interrupts]
    ; by deadline
    write_msr APIC_TIMER, 0x40040
    cli
    rdtsc
    shl rdx, 32
    or rax, rdx
    add rax, 200000
    mov rbp, rax
    write_msr TSC_DEADLINE, rbp
    sti
    hlt
    inc rbx
    check [interrupts], rbx
    rdtsc
    shl rdx, 32
    or rax, rdx
    cmp rax, rbp
    check_cc ae                            ; not too early
    read_msr TSC_DEADLINE
    check rax, 0
    ; a deadline that has passed
    cli
    write_msr TSC_DEADLINE, 1
    sti
    hlt
    inc rbx
    check [interrupts], rbx
    ; with IF clear it waits
    cli
    write_msr TSC_DEADLINE, 1
    mov ecx, 1000
.wait:
    pause
    loop .wait
    check [interrupts], rbx
    sti
    nop
    nop
    inc rbx
    check [interrupts], rbx
    finish
