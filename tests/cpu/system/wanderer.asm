; A guest that takes its time and checks all the while that nothing of its state is lost: for move_test.cc, which stops it
; again and again and continues it under another engine. Uses only instructions that KVM's emulator knows.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
%include "user.inc"
%define TICKS 300000000  ; of the TSC, for each stretch: about a tenth of a second
%define NUMBER 0x9E3779B97F4A7C15

; Until TICKS have passed: the TSC does not go back, all registers keep what they hold, memory what it got. Leaves RFLAGS.
%macro spin 0
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov rbx, rax                    ; the last time
    lea rbp, [rax + TICKS]
    mov r8, NUMBER
    mov r15, NUMBER
    not r15
%%again:
    lea r9, [r8 + 1]
    lea r10, [r9 + 2]
    lea r11, [r10 + 3]
    lea r12, [r11 + 4]
    lea r13, [r12 + 5]
    lea r14, [r13 - 15]
    push r14
    movups xmm0, [rsp - 8]
    movups [DATA + 0x100], xmm15
    pop rdi
    lea rsi, [r8 + r15 + 1]         ; the one is the other's complement
    or rsi, rsi
    jnz %%wrong
    cmp rdi, r8
    jne %%wrong
    mov rsi, NUMBER
    cmp [DATA + 0x108], rsi
    jne %%wrong
    rdtsc
    shl rdx, 32
    or rax, rdx
    cmp rax, rbx
    jb %%wrong
    mov rbx, rax
    cmp rax, rbp
    jb %%again
    jmp %%fine
%%wrong:
    fail
%%fine:
%endmacro

; keep CPL 0 state where both engines have it
    mov rax, NUMBER
    mov [DATA + 0x100], rax
    mov [DATA + 0x108], rax
    movups xmm15, [DATA + 0x100]
    write_msr 0xC0000082, 0x123456789A
    write_msr 0xC0000102, 0x56789A1234
    write_msr 0x277, 0x0007040600070405
    mov rax, 0x12345678
    mov dr0, rax
    enable_apic
    count_interrupts 0x40

    spin

    ; CPL 3
    in_user
    spin
    end_user
    check qword [fault_vector], UD

    ; a periodic timer of 5 ms, waited for by HLT
    write_msr APIC_DIVIDE, 0xB
    write_msr APIC_TIMER, 0x20040
    write_msr APIC_INITIAL, 50000
.periodic:
    sti
    hlt
    cli
    cmp qword [interrupts], 30
    jb .periodic
    write_msr APIC_INITIAL, 0
    ; and interrupted while it works
    write_msr APIC_INITIAL, 50000
    sti
    spin
    cli
    write_msr APIC_INITIAL, 0
    cmp qword [interrupts], 30      ; how many depends on how busy the host is
    check_cc a

    ; one-shot, then by deadline: not too early, and once
    sti
    nop
    cli
    mov rbx, [interrupts]
    write_msr APIC_TIMER, 0x40
    write_msr APIC_INITIAL, 1000000
    sti
    hlt
    cli
    inc rbx
    check [interrupts], rbx
    write_msr APIC_TIMER, 0x40040
    rdtsc
    shl rdx, 32
    or rax, rdx
    add rax, TICKS
    mov rbp, rax
    write_msr TSC_DEADLINE, rbp
    sti
    hlt
    cli
    inc rbx
    check [interrupts], rbx
    rdtsc
    shl rdx, 32
    or rax, rdx
    cmp rax, rbp
    check_cc ae

    read_msr 0xC0000082
    mov rbx, 0x123456789A
    check rax, rbx
    read_msr 0xC0000102
    mov rbx, 0x56789A1234
    check rax, rbx
    read_msr 0x277
    mov rbx, 0x0007040600070405
    check rax, rbx
    mov rax, dr0
    check rax, 0x12345678
    finish
