; Memory accesses by one base register at the ends of the address space: what wraps around, and what is not canonical, where the
; first of them are fine.
;; expect rax=0x600d
%include "prelude.inc"
%define TABLES (FREE + 0x20000)      ; three, for the last page of either half
%define FRAME (FREE + 0x30000)
    mov edi, TABLES
    mov ecx, 0x3000 / 8
    xor eax, eax
    rep stosq
    mov qword [TABLES + 511 * 8], TABLES + 0x1000 | PRESENT | WRITABLE
    mov qword [TABLES + 0x1000 + 511 * 8], TABLES + 0x2000 | PRESENT | WRITABLE
    mov qword [TABLES + 0x2000 + 511 * 8], FRAME | PRESENT | WRITABLE
    mov qword [PML4 + 255 * 8], TABLES | PRESENT | WRITABLE
    mov qword [PML4 + 511 * 8], TABLES | PRESENT | WRITABLE
    mov rax, [PML4]
    mov [PML4 + 256 * 8], rax            ; the upper half begins with what the lower one does
    set_gate SS_, stubs + 16 * SS_, 0x8E, 1
    set_gate GP, stubs + 16 * GP, 0x8E, 1
    set_gate PF, stubs + 16 * PF, 0x8E, 1

    ; from the top to zero
    mov qword [FRAME + 0xFF8], 0x101
    mov qword [0], 0x102
    mov rbx, -8
    mov rax, [rbx]
    mov rcx, [rbx + 8]
    mov [rbx], rcx
    mov [rbx + 8], rax
    check rax, 0x101
    check rcx, 0x102
    check qword [FRAME + 0xFF8], 0x102
    check qword [0], 0x101
    mov rbp, rsp
    mov rsp, 8
    push rax
    push rcx
    mov rdx, rsp
    pop rsi
    pop rdi
    xchg rbp, rsp
    check rdx, -8
    check rbp, 8
    check rsi, 0x102
    check rdi, 0x101
    check qword [FRAME + 0xFF8], 0x102
    check qword [0], 0x101

; second VECTOR, {FIRST}, {SECOND}: that faults and the first does not
%macro second 3
    mov [resume_stack], rsp
    mov qword [resume], %%after
    %2
%%at:
    %3
    fail
%%after:
    check qword [fault_vector], %1
    check qword [fault_error], 0
    check qword [fault_rip], %%at
%endmacro
; the same by RSP, which is ADDRESS before and END at the fault
%macro second_of_stack 4
    mov [resume_stack], rsp
    mov qword [resume], %%after
    mov rsp, %1
    %3
%%at:
    %4
    fail
%%after:
    check qword [fault_vector], SS_
    check qword [fault_error], 0
    check qword [fault_rip], %%at
    mov rax, %2
    check [fault_rsp], rax
%endmacro
    mov qword [FRAME + 0xFF8], 0x103
    mov rbx, (1 << 47) - 8
    xor eax, eax
    second GP, {mov rax, [rbx]}, {mov rcx, [rbx + 8]}
    check rax, 0x103
    mov ecx, 0x104
    second GP, {mov [rbx], rcx}, {mov [rbx + 8], rcx}
    check qword [FRAME + 0xFF8], 0x104
    mov rbp, rbx
    second SS_, {mov rax, [rbp]}, {mov rcx, [rbp + 8]}
    check rax, 0x104
    mov ecx, 0x105
    second SS_, {mov [rbp], rcx}, {mov [rbp + 8], rcx}
    check qword [FRAME + 0xFF8], 0x105
    xor ecx, ecx
    second_of_stack (1 << 47) - 8, 1 << 47, {pop rcx}, {pop rdx}
    check ecx, 0x105
    mov rcx, [resume_stack]
    mov ecx, 0x106
    second_of_stack -(1 << 47) + 8, -(1 << 47), {push rcx}, {push rdx}
    check qword [0], 0x106
    ; nothing of it is canonical, there least of all
    second_of_stack 1 << 63, 1 << 63, {}, {push rcx}
    second_of_stack (1 << 63) + 64, (1 << 63) + 64, {}, {push rcx}
    second_of_stack (1 << 63) + 64, (1 << 63) + 64, {}, {pop rcx}
%assign i 0
%rep 2   ; more of them behind
    mov rax, rsp
    mov [resume_stack], rsp
    mov qword [resume], .after %+ i
    mov rsp, (1 << 63) + 64 + i * 4
.push %+ i:
    push rcx
    push rdx
    pop rcx
    pop rdx
    fail
.after %+ i:
    check qword [fault_vector], SS_
    check qword [fault_rip], .push %+ i
    mov rax, (1 << 63) + 64 + i * 4
    check [fault_rsp], rax
    %assign i i + 1
%endrep
    mov rbx, 1 << 63
    faults GP, 0, {mov rax, [rbx + 64]}
    finish
