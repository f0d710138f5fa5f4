; A second processor: INIT, SIPI, real mode, protected mode, long mode; then interrupts between the two, and NMI.
;; expect rax=0x600d
;; cpus 2
%include "prelude.inc"
%include "apic.inc"
%include "trampoline.inc"
    mov esi, trampoline
    mov edi, TRAMPOLINE
    mov ecx, trampoline_end - trampoline
    rep movsb
    enable_apic
    read_msr APIC_ID
    check eax, 0
    count_interrupts 0x41
    set_gate 2, on_nmi, 0x8E, 0
    write_msr APIC_ICR, (1 << 32 | 0xC500)               ; INIT
    write_msr APIC_ICR, (1 << 32 | 0xC600 | TRAMPOLINE >> 12)  ; SIPI
.until_up:
    pause
    cmp dword [stage], 1
    jne .until_up
    check qword [other_id], 1
    check qword [interrupts], 0
    write_msr APIC_ICR, (1 << 32 | 0x41)                 ; to it, by number
.until_taken:
    pause
    cmp dword [stage], 2
    jb .until_taken
    ; it answers by an interrupt to all but itself
    sti
.until_answered:
    hlt
    cmp dword [stage], 3
    jne .until_answered
    check qword [interrupts], 2
    write_msr APIC_ICR, (1 << 32 | 0x400)                ; NMI: it has IF clear
.until_nmi:
    pause
    cmp dword [stage], 4
    jne .until_nmi
    ; counting together, with LOCK
    mov dword [stage], 5
    mov ecx, 20000
.count:
    lock inc dword [counter]
    loop .count
.until_counted:
    pause
    cmp dword [stage], 6
    jne .until_counted
    check dword [counter], 40000
    finish
align 8
stage: dq 0
other_id: dq 0
counter: dq 0
on_nmi:
    mov dword [stage], 4
    iretq

second:
    lidt [idt_pointer]
    mov ax, KERNEL_DS
    mov ss, ax
    mov rsp, STACK - 0x4000
    enable_apic
    read_msr APIC_ID
    mov [other_id], rax
    mov dword [stage], 1
    sti
.wait:
    hlt
    cmp qword [interrupts], 1
    jne .wait
    mov dword [stage], 2
    cli
    mov dword [stage], 3
    write_msr APIC_ICR, 0xC0041
.until_five:
    pause
    cmp dword [stage], 5
    jne .until_five
    mov ecx, 20000
.count:
    lock inc dword [counter]
    loop .count
    mov dword [stage], 6
    cli
.stop:
    hlt
    jmp .stop
idt_pointer:
    dw 256 * 16 - 1
    dq IDT
