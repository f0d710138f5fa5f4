; 32-bit code at CPL 3: by IRET and back by exceptions, INT and SYSENTER; what is not allowed there; returns by RETF.
;; expect rax=0x600d
%include "protected.inc"
    user_faults UD, 0, {ud2}
    check dword [fault_cs], USER_CS
    check dword [fault_ss], USER_DS
    check dword [fault_esp], USER_STACK
    ; the frame is on the stack that the TSS names
    check dword [INNER_STACK - 4], USER_DS
    check dword [INNER_STACK - 8], USER_STACK

    user_faults GP, 0, {hlt}
    user_faults GP, 0, {cli}
    user_faults GP, 0, {mov cr3, eax}
    user_faults GP, 0, {mov eax, dr7}
    user_faults GP, 0, {clts}
    user_faults GP, 0, {in al, 0x80}
    user_faults GP, 0, {lgdt [FREE]}
    user_faults GP, 14 * 8 + 2, {int 14}      ; whose gate is for ring 0
    mov bx, KERNEL_DS
    user_faults GP, KERNEL_DS, {mov fs, bx}
    user_faults GP, KERNEL_DS, {mov ss, bx}
    user_faults GP, KERNEL_CS, {jmp KERNEL_CS:0}

    ; no data segment of ring 0 is left there, one of ring 3 is
    mov ax, KERNEL_DS
    mov fs, ax
    mov ax, USER_DS
    mov gs, ax
    in_user
    mov bx, fs
    mov cx, gs
    end_user
    check bx, 0
    check cx, USER_DS

    ; INT through a gate for ring 3, and IRET back
    set_gate 0x80, on_call, 0xEE
    in_user
    mov eax, 7
    int 0x80
    mov ebp, eax
    end_user
    check dword [fault_vector], UD
    check ebp, 8

    ; IOPL 3 lets CLI and ports pass
    mov dword [user_flags], 0x3202
    in_user
    cli
    pushfd
    pop ebx
    sti
    in al, 0x80
    end_user
    check dword [fault_vector], UD
    mov eax, ebx
    and eax, 0x3200
    check eax, 0x3000
    mov dword [user_flags], 2

    ; SYSENTER and SYSEXIT
    mov ecx, 0x174
    mov eax, KERNEL_CS
    xor edx, edx
    wrmsr
    mov ecx, 0x175
    mov eax, INNER_STACK
    wrmsr
    mov ecx, 0x176
    mov eax, on_sysenter
    wrmsr
    in_user
    mov ecx, esp
    mov edx, .back
    sysenter
.back:
    mov ebx, esp
    mov ax, cs
    end_user
    check dword [fault_vector], UD
    check ebx, USER_STACK
    check ax, USER_CS
    check dword [seen_cs], KERNEL_CS
    check dword [seen_esp], INNER_STACK

    ; RETF to ring 3, dropping words on both stacks
    mov [resume_stack], esp
    mov dword [resume], .returned
    push dword USER_DS
    push dword USER_STACK - 16
    push dword 0x55                           ; parameters
    push dword 0x66
    push dword USER_CS
    push dword .outer
    retf 8
.outer:
    mov ebx, esp
    hlt
.returned:
    check dword [fault_vector], GP
    check dword [fault_cs], USER_CS
    check ebx, USER_STACK - 8
    ; not inwards, not to a stack of another ring
    in_user
    push dword KERNEL_CS
    push dword 0
.inward:
    retf
    end_user
    check dword [fault_vector], GP
    check dword [fault_error], KERNEL_CS
    push dword KERNEL_DS
    push dword USER_STACK
    push dword USER_CS
    push dword 0
    faults GP, KERNEL_DS, {retf}
    finish

on_call:
    inc eax
    iretd
on_sysenter:
    mov [ss:seen_esp], esp
    xor eax, eax
    mov ax, cs
    mov [ss:seen_cs], eax
    sysexit
align 4
seen_cs: dd 0
seen_esp: dd 0
