; Interrupts that one processor sends itself: priorities, TPR, the shadow of STI and MOV SS, repeated strings.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
    enable_apic
    count_interrupts 0x40
    set_gate 0x50, on_high, 0x8E, 0
    ; IF clear: pending; taken behind the instruction that follows STI
    write_msr APIC_SELF, 0x40
    nop
    check qword [interrupts], 0
    sti
    nop
.after_shadow:
    check qword [interrupts], 1
    check qword [interrupt_rip], .after_shadow
    ; STI; CLI: never
    cli
    write_msr APIC_SELF, 0x40
    sti
    cli
    check qword [interrupts], 1
    ; POPF has no shadow
    pushfq
    or qword [rsp], 0x200
    popfq
.after_popf:
    check qword [interrupts], 2
    check qword [interrupt_rip], .after_popf
    ; the higher one first, and not nested by the lower one
    cli
    write_msr APIC_SELF, 0x40
    write_msr APIC_SELF, 0x50
    sti
    nop
    check qword [interrupts], 3
    check qword [high_saw], 2
    ; the task priority holds back its class and those below
    mov eax, 4
    mov cr8, rax
    write_msr APIC_SELF, 0x40
    nop
    check qword [interrupts], 3
    write_msr APIC_SELF, 0x50
    nop
    check qword [high_saw], 3
    xor eax, eax
    mov cr8, rax
    nop
    check qword [interrupts], 4
    ; the instruction behind STI may lead elsewhere
    cli
    write_msr APIC_SELF, 0x40
    call .open
.after_return:
    check qword [interrupts], 5
    check qword [interrupt_rip], .after_return
    cli
    write_msr APIC_SELF, 0x40
    sti
    jmp .elsewhere
    ud2
.elsewhere:
    check qword [interrupts], 6
    check qword [interrupt_rip], .elsewhere
    ; with nothing to be taken
    mov ebp, 1000
.nothing:
    cli
    call .open
    pushfq
    pop rax
    test eax, 0x200
    jz .closed
    dec ebp
    jnz .nothing
.closed:
    check ebp, 0
    check qword [interrupts], 6
    jmp .timer
.open:
    sti
    ret
.timer:
    ; a periodic timer within REP MOVSB: nothing is lost or done twice
    write_msr APIC_DIVIDE, 0xB
    write_msr APIC_TIMER, 0x20040
    write_msr APIC_INITIAL, 20000
    mov rbp, [interrupts]
    add rbp, 5
.again:
    std
    mov esi, 0x400000 + 0x7FFFF
    mov edi, 0x500000 + 0x7FFFF
    mov ecx, 0x80000
    mov byte [rsi], 0x77
    mov byte [0x400000], 0x66
    rep movsb
    cld
    check ecx, 0
    check esi, 0x3FFFFF
    check edi, 0x4FFFFF
    check byte [0x500000], 0x66
    check byte [0x57FFFF], 0x77
    mov dword [0x500000], 0
    cmp [interrupts], rbp
    jb .again
    finish
align 8
high_saw: dq 0
on_high:
    push rax
    push rcx
    push rdx
    sti                                    ; the lower one has to wait for EOI all the same
    nop
    mov rax, [interrupts]
    mov [high_saw], rax
    cli
    write_msr APIC_EOI, 0
    pop rdx
    pop rcx
    pop rax
    iretq
