; Call gates in long mode: 16 bytes long, to 64-bit code only, with a stack from the TSS; RETF back; an LDT.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
%define TABLE 0x8000      ; a GDT with room
%define GATE 0x60
%define LDT_SELECTOR 0x70
%define GATE_ACCESS 0x8C
%define RING3 0x60
; set_call_gate SELECTOR, CODE SELECTOR, HANDLER, ACCESS
%macro set_call_gate 4
    mov eax, %3
    mov [TABLE + %1], ax
    mov word [TABLE + %1 + 2], %2
    mov word [TABLE + %1 + 4], (%4) << 8
    shr eax, 16
    mov [TABLE + %1 + 6], ax
    mov qword [TABLE + %1 + 8], 0
%endmacro
    mov esi, GDT
    mov edi, TABLE
    mov ecx, 0x50
    rep movsb
    lgdt [table_pointer]

    ; from ring 3 to 0 and back
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS | RING3
    in_user
    call far dword [rel .gate]
    pushfq
    jmp .done
.gate: dd 0x12345678          ; of no account
    dw GATE | 3
.done:
    mov rbx, rsp
    end_user
    check qword [fault_vector], UD
    check qword [fault_cs], USER_CS
    check rbx, DATA + 0x800 - 8
    check qword [seen], CODE + 6
    check qword [seen + 8], USER_CS
    check qword [seen + 16], DATA + 0x800
    check qword [seen + 24], USER_DS
    check qword [seen_cs], KERNEL_CS
    check qword [seen_ss], 0
    mov rax, [TSS + 4]
    sub rax, 32
    check [seen_rsp], rax

    ; from ring 0: the stack stays
    mov rbp, rsp
    call far dword [gate_pointer]
    check rsp, rbp
    sub rbp, 16
    check [seen_rsp], rbp
    check qword [seen + 8], KERNEL_CS
    ; from 32-bit code of ring 0
    push KERNEL_CS32
    push thirty_two
    retfq
bits 32
thirty_two:
    call GATE:0
    jmp KERNEL_CS:sixty_four
bits 64
sixty_four:
    check qword [seen + 8], KERNEL_CS32

    ; what is refused
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS
    in_user
    jmp .at
.gate: dd 0
    dw GATE | 3
.at:
    call far dword [rel .gate]
    end_user
    check qword [fault_vector], GP
    check qword [fault_error], GATE
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS & ~0x80
    faults NP, GATE, {call far dword [gate_pointer]}
    set_call_gate GATE, KERNEL_CS32, on_gate, GATE_ACCESS
    faults GP, KERNEL_CS32, {call far dword [gate_pointer]}
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS
    mov byte [TABLE + GATE + 13], 1           ; the second half has a type
    faults GP, GATE, {call far dword [gate_pointer]}
    set_call_gate GATE, KERNEL_CS, on_gate, 0x84
    faults GP, GATE, {call far dword [gate_pointer]}
    set_call_gate GATE, KERNEL_CS, on_gate, 0x85
    faults GP, GATE, {call far dword [gate_pointer]}
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS
    mov word [TABLE + GATE + 10], 0x8000      ; the offset is not canonical
    faults GP, 0, {call far dword [gate_pointer]}
    faults GP, 0x40, {call far dword [tss_pointer]} ; no task switches here
    faults GP, 0x40, {jmp far dword [tss_pointer]}

    ; a jump through a gate
    set_call_gate GATE, KERNEL_CS, on_jump, GATE_ACCESS
    mov esi, .jumped
    jmp far dword [gate_pointer]
.jumped:

    ; a segment and a gate of an LDT, whose descriptor is 16 bytes long as well
    mov rax, [TABLE + USER_DS - 3]
    mov [ldt + 8], rax
    mov rax, ldt
    mov [TABLE + LDT_SELECTOR + 2], ax
    mov word [TABLE + LDT_SELECTOR], 31
    shr eax, 16
    mov [TABLE + LDT_SELECTOR + 4], al
    mov byte [TABLE + LDT_SELECTOR + 5], 0x82
    mov [TABLE + LDT_SELECTOR + 7], ah
    mov ax, LDT_SELECTOR
    lldt ax
    mov cx, 0xF
    mov fs, cx
    mov dx, fs
    check dx, 0xF
    mov cx, 0x2F
    faults GP, 0x2C, {mov fs, cx}
    sldt dx
    check dx, LDT_SELECTOR
    mov ax, KERNEL_DS
    faults GP, KERNEL_DS, {lldt ax}
    xor eax, eax
    lldt ax
    mov cx, 0xF
    faults GP, 0xC, {mov fs, cx}

    ; no stack for the gate
    set_call_gate GATE, KERNEL_CS, on_gate, GATE_ACCESS | RING3
    mov rax, 1 << 47 | 0x100
    mov [TSS + 4], rax
    mov byte [IDT + SS_ * 16 + 4], 1          ; #SS on a stack of its own
    in_user
    jmp .at2
.gate2: dd 0
    dw GATE | 3
.at2:
    call far dword [rel .gate2]
    end_user
    check qword [fault_vector], SS_
    check qword [fault_error], 0
    finish

on_gate:
    mov [seen_rsp], rsp
  %assign i 0
  %rep 4
    mov rax, [rsp + 8 * i]
    mov [seen + 8 * i], rax
    %assign i i + 1
  %endrep
    mov eax, cs
    mov [seen_cs], rax
    mov eax, ss
    mov [seen_ss], rax
    retfq
on_jump:
    jmp rsi
align 8
gate_pointer: dd 0
    dw GATE
tss_pointer: dd 0
    dw 0x40
align 8
table_pointer:
    dw 0x7F
    dq TABLE
seen: times 4 dq 0
seen_cs: dq 0
seen_ss: dq 0
seen_rsp: dq 0
ldt: times 4 dq 0
