; Call gates between rings in 32-bit mode: parameters, stacks, conforming code, 16-bit gates; descriptors in an LDT.
;; expect rax=0x600d
%include "protected.inc"
%define GATE SPARE
%define GATE16 (SPARE + 8)
%define CONFORMING (SPARE + 16)
%define INNER1_CS (SPARE + 24)
%define INNER1_DS (SPARE + 32)
%define TABLE (SPARE + 40)
    ; to ring 0 with two parameters
    set_call_gate GATE, KERNEL_CS, on_gate, CALL_GATE_ACCESS | RING(3), 2
    in_user
    push dword 0x1111
    push dword 0x2222
    call GATE | 3:0                           ; the offset is of no account
.behind:
    mov ebx, esp
    end_user
    check dword [fault_vector], UD
    check ebx, USER_STACK                     ; RETF 8 dropped the parameters here too
    check dword [seen + 0], .behind
    check dword [seen + 4], USER_CS
    check dword [seen + 8], 0x2222
    check dword [seen + 12], 0x1111
    check dword [seen + 16], USER_STACK - 8
    check dword [seen + 20], USER_DS
    check dword [seen_esp], INNER_STACK - 24
    check dword [seen_cs], KERNEL_CS

    ; from ring 0 itself: no change of stack
    push dword 0x77
    mov ebp, esp
    call GATE:0
    check dword [seen + 4], KERNEL_CS
    check dword [seen + 8], 0x77
    sub ebp, 8
    check [seen_esp], ebp
    mov esp, STACK

    ; a jump may not change the ring
    in_user
.jump:
    jmp GATE | 3:0
    end_user
    check dword [fault_vector], GP
    check dword [fault_error], KERNEL_CS
    mov esi, .jumped
    set_call_gate GATE, KERNEL_CS, on_jump, CALL_GATE_ACCESS, 0
    jmp GATE:0
.jumped:
    ; a gate for ring 0 is none for ring 3
    user_faults GP, GATE, {call GATE:0}
    set_call_gate GATE, KERNEL_CS, on_gate, (CALL_GATE_ACCESS & ~0x80) | RING(3), 0
    user_faults NP, GATE, {call GATE:0}
    set_call_gate GATE, KERNEL_DS, on_gate, CALL_GATE_ACCESS | RING(3), 0
    user_faults GP, KERNEL_DS, {call GATE:0}
    set_call_gate GATE, 0, on_gate, CALL_GATE_ACCESS | RING(3), 0
    user_faults GP, 0, {call GATE:0}

    ; conforming code keeps the caller's ring
    set_descriptor CONFORMING, 0, CODE_ACCESS | 4, FLAT
    set_call_gate GATE, CONFORMING, on_conforming, CALL_GATE_ACCESS | RING(3), 3
    in_user
    call GATE | 3:0
    mov ebx, ecx
    end_user
    check dword [fault_vector], UD
    check ebx, CONFORMING | 3
    in_user
    call CONFORMING:on_conforming
    end_user
    check dword [fault_vector], UD

    ; a 16-bit gate pushes words; its offset is as narrow
    mov byte [0x4100], 0xF4                   ; HLT: seen by the fault at ring 3
    set_descriptor SPARE + 48, 0, CODE_ACCESS | RING(3), 0xFFFFF, 0xC
    mov dword [gdt + GATE16], 0x4100 | ((SPARE + 48 | 3) << 16)
    mov dword [gdt + GATE16 + 4], (CALL_GATE16_ACCESS | RING(3)) << 8
    in_user
    call GATE16 | 3:0
    end_user
    check dword [fault_vector], GP
    check dword [fault_eip], 0x4100
    check dword [fault_esp], USER_STACK - 4
    check word [USER_STACK - 2], USER_CS

    ; ring 1, and from there to ring 0
    set_descriptor INNER1_CS, 0, CODE_ACCESS | RING(1), FLAT
    set_descriptor INNER1_DS, 0, DATA_ACCESS | RING(1), FLAT
    mov dword [task + Tss.esp1], FREE + 0x1000
    mov dword [task + Tss.ss1], INNER1_DS | 1
    set_call_gate GATE, INNER1_CS, on_ring1, CALL_GATE_ACCESS | RING(3), 0
    in_user
    call GATE | 3:0
    end_user
    check dword [fault_vector], GP
    check dword [fault_cs], INNER1_CS | 1
    check dword [fault_ss], INNER1_DS | 1
    check dword [fault_esp], FREE + 0x1000 - 16
    ; bad stacks in the TSS
    mov dword [task + Tss.ss1], USER_DS
    user_faults TS, USER_DS & ~3, {call GATE | 3:0}
    mov dword [task + Tss.ss1], 0
    user_faults TS, 0, {call GATE | 3:0}
    mov dword [task + Tss.ss1], INNER1_CS | 1
    user_faults TS, INNER1_CS, {call GATE | 3:0}
    set_descriptor INNER1_DS, 0, (DATA_ACCESS | RING(1)) & ~0x80, FLAT
    mov dword [task + Tss.ss1], INNER1_DS | 1
    user_faults SS_, INNER1_DS, {call GATE | 3:0}

    ; the same through an LDT
    mov dword [ldt + 8], (AT(on_gate) & 0xFFFF) | (KERNEL_CS << 16)
    mov dword [ldt + 12], ((CALL_GATE_ACCESS | RING(3)) << 8) | (AT(on_gate) & 0xFFFF0000)
    mov dword [ldt + 16], 0x0000000F
    mov dword [ldt + 20], 0x0040F320          ; ring 3 data, at 2 MiB, 16 bytes
    set_descriptor TABLE, AT(ldt), LDT_ACCESS, 23, 0
    mov ax, TABLE
    lldt ax
    sldt bx
    check bx, TABLE
    mov dword [FREE], 0x600DDA7A
    in_user
    push dword 0x17
    pop fs
    mov ebp, [fs:0]
    call 0xF:0
    end_user
    check dword [fault_vector], UD
    check ebp, 0x600DDA7A
    check dword [seen + 4], USER_CS
    lsl eax, [selector]
    check eax, 15
    lar eax, [selector]
    check eax, 0x40F300
    faults GP, 0x1C, {call 0x1C:0}            ; beyond its limit
    xor ax, ax
    lldt ax
    faults GP, 0xC, {call 0xC:0}
    finish

on_gate:
    mov [seen_esp], esp
    xor eax, eax
    mov ax, cs
    mov [seen_cs], eax
  %assign i 0
  %rep 6
    mov eax, [esp + 4 * i]
    mov [seen + 4 * i], eax
    %assign i i + 1
  %endrep
    test byte [esp + 4], 3
    jz .same_ring
    cmp word [gdt + GATE + 4], 0xEC02
    jne .same_ring
    retf 8
.same_ring:
    retf
on_jump:
    jmp esi
on_conforming:
    mov ecx, cs
    retf
on_ring1:
    hlt
align 4
seen: times 6 dd 0
seen_esp: dd 0
seen_cs: dd 0
selector: dd 0x17
ldt: times 6 dd 0
