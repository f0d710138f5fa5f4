; Memory accesses by one base register that are a device's (the local APIC's), and interrupts between such as are not: at the
; right instruction, and not in the shadow of STI.
;; expect rax=0x600d
%include "prelude.inc"
%define APIC 0xFEE00000
%define TPR 0x80
%define EOI 0xB0
%define LDR 0xD0
%define DFR 0xE0
%define SPURIOUS 0xF0
%define IRR 0x200
%define ICR 0x300
%define LOW (FREE + 0x20000)
%define HIGH (LOW + 0x1000)
    ; its page, by a page directory of the fourth GiB
    mov dword [0x400000 + 503 * 8], 0xFEE00000 | LARGE | PRESENT | WRITABLE | 0x10
    mov rax, [PML4]
    and eax, ~0xFFF
    mov qword [rax + 24], 0x400000 | PRESENT | WRITABLE
    read_msr 0x1B
    or eax, 0x800
    wrmsr
    set_gate 0x40, on_interrupt, 0x8E, 0
    mov ebx, APIC
    ; several registers
    mov dword [rbx + SPURIOUS], 0x1FF
    mov dword [rbx + DFR], 0xFFFFFFFF
    mov dword [rbx + LDR], 1 << 24
    mov dword [rbx + TPR], 0x20
    mov eax, [rbx + TPR]
    mov ecx, [rbx + LDR]
    mov edx, [rbx + SPURIOUS]
    mov esi, [rbx + DFR]
    mov dword [rbx + TPR], 0
    mov edi, [rbx + TPR]
    check eax, 0x20
    check ecx, 1 << 24
    check edx, 0x1FF
    check esi, 0xFFFFFFFF
    check edi, 0
    ; with memory's between them
    mov rdi, LOW
    mov qword [rdi], 0x101
    mov qword [rdi + 8], 0x102
    mov esi, 0x10
    mov rax, [rdi]
    mov dword [rbx + rsi * 8], 0x30          ; TPR
    mov rcx, [rdi + 8]
    mov edx, [rbx + rsi * 8]
    mov [rdi + 16], rdx
    mov dword [rbx + rsi * 8], 0
    mov [rdi + 24], rcx
    check rax, 0x101
    check rcx, 0x102
    check edx, 0x30
    check qword [LOW + 16], 0x30
    check qword [LOW + 24], 0x102
    ; an interrupt that one of them sends
    sti
    mov rax, [rdi]
    mov dword [rbx + ICR], 1 << 18 | 0x40
.sent:
    mov rcx, [rdi + 8]
    mov rdx, [rdi + 16]
    cli
    check qword [interrupts], 1
    check qword [interrupt_rip], .sent
    check rcx, 0x102
    check rdx, 0x30

; The instruction behind STI is the first of accesses on two pages: the interrupt waits for it.
%macro behind_sti 3   ; {FIRST}, {SECOND}, {THIRD}
    mov qword [interrupts], 0
    mov dword [rbx + ICR], 1 << 18 | 0x40
    check dword [rbx + IRR + 0x20], 1
    mov rbp, rsp
    mov rsp, HIGH + 8
    mov rdi, HIGH - 8
    sti
    %1
%%behind:
    %2
    %3
    cli
    mov rsp, rbp
    check qword [interrupts], 1
    check qword [interrupt_rip], %%behind
%endmacro
    set_gate 0x40, on_interrupt, 0x8E, 1     ; the stack's pages are looked at
    mov qword [HIGH - 8], 0x201
    mov qword [HIGH], 0x202
    mov qword [HIGH + 8], 0x203
%rep 2
    behind_sti {mov rax, [rdi]}, {mov rcx, [rdi + 8]}, {mov rdx, [rdi + 16]}
    check rax, 0x201
    check rcx, 0x202
    check rdx, 0x203
    behind_sti {mov [rdi], rax}, {mov [rdi + 8], rcx}, {mov [rdi + 16], rdx}
    behind_sti {mov rax, [rsp - 16]}, {mov rcx, [rsp - 8]}, {mov rdx, [rsp]}
    check rax, 0x201
    check rcx, 0x202
    check rdx, 0x203
%endrep
    finish

align 8
interrupts: dq 0
interrupt_rip: dq 0
on_interrupt:
    push rax
    push rbx
    inc qword [interrupts]
    mov rax, [rsp + 16]
    mov [interrupt_rip], rax
    mov ebx, APIC
    mov dword [rbx + EOI], 0
    pop rbx
    pop rax
    iretq
