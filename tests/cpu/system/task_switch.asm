; Hardware task switches: by CALL, JMP and IRET, through gates and by a double fault, as 32-bit kernels take theirs.
;; expect rax=0x600d
%include "protected.inc"
%define OTHER SPARE
%define OTHER_GATE (SPARE + 8)
%define DOUBLE (SPARE + 16)
    set_descriptor OTHER, AT(other_task), TSS_ACCESS, Tss_size - 1, 0
    set_task_gate OTHER_GATE, OTHER, TASK_GATE_ACCESS
    mov dword [other_task + Tss.eip], on_call

    ; CALL nests: the link, NT, TS, the busy bits; IRET comes back
    mov ebx, 0x1234
    mov ebp, 0x77
    clts
    call OTHER:0
.back:
    check ebx, 0x1234                         ; registers are the task's own
    check dword [seen_link], TASK
    check dword [seen_esp], FREE + 0x1000
    mov eax, [seen_flags]
    and eax, 0x4000
    check eax, 0x4000
    mov eax, [seen_cr0]
    and eax, 8
    check eax, 8
    check dword [task + Tss.eip], .back
    check dword [task + Tss.ebx], 0x1234
    check dword [task + Tss.cs], KERNEL_CS
    str ax
    check ax, TASK
    check byte [gdt + TASK + 5], TSS_ACCESS | 2
    check byte [gdt + OTHER + 5], TSS_ACCESS
    pushfd
    pop eax
    and eax, 0x4000
    check eax, 0
    check dword [other_task + Tss.ebx], 0x9999
    ; again, where it stopped
    call OTHER:0
    check dword [seen_again], 1

    ; through a gate, from ring 3
    mov dword [other_task + Tss.eip], on_call
    set_task_gate OTHER_GATE, OTHER, TASK_GATE_ACCESS | RING(3)
    in_user
    mov ebx, 0x55
    call OTHER_GATE | 3:0
    mov ecx, ebx
    end_user
    check dword [fault_vector], UD
    check dword [fault_cs], USER_CS
    check ecx, 0x55
    user_faults GP, OTHER, {call OTHER:0}     ; not without it

    ; JMP does not nest
    mov dword [other_task + Tss.eip], on_jump
    mov dword [other_task + Tss.eflags], 2
    mov byte [gdt + OTHER + 5], TSS_ACCESS
    jmp OTHER:0
.jumped_back:
    check dword [seen_flags], 2
    check byte [gdt + OTHER + 5], TSS_ACCESS

    ; what cannot be entered
    faults GP, TASK, {call TASK:0}            ; busy
    set_descriptor OTHER, AT(other_task), TSS_ACCESS, 102, 0
    faults TS, OTHER, {call OTHER:0}
    set_descriptor OTHER, AT(other_task), TSS_ACCESS & ~0x80, Tss_size - 1, 0
    faults NP, OTHER, {call OTHER:0}
    set_descriptor OTHER, AT(other_task), TSS_ACCESS, Tss_size - 1, 0

    ; a bad segment is the new task's fault, and TASK is what it returns to
    mov dword [other_task + Tss.gs], TASK
    mov dword [other_task + Tss.eip], on_call
    mov dword [resume], .bad_segment
    mov dword [resume_stack], STACK
    call OTHER:0
    fail
.bad_segment:
    check dword [fault_vector], TS
    check dword [fault_error], TASK
    check dword [fault_eip], on_call
    str ax
    check ax, OTHER
    ; back to the first task
    mov byte [gdt + TASK + 5], TSS_ACCESS
    mov dword [task + Tss.eip], .first_again
    mov dword [task + Tss.eflags], 2
    jmp TASK:0
.first_again:
    mov dword [other_task + Tss.gs], 0

    ; a trap flag in the TSS
    mov byte [gdt + OTHER + 5], TSS_ACCESS
    mov word [other_task + Tss.trap], 1
    mov dword [other_task + Tss.eip], on_call
    mov dword [other_task + Tss.eflags], 2
    mov dword [resume], .trapped
    mov [resume_stack], esp
    call OTHER:0
    fail
.trapped:
    check dword [fault_vector], DB
    check dword [fault_eip], on_call
    mov eax, dr6
    and eax, 0x8000
    check eax, 0x8000
    mov byte [gdt + TASK + 5], TSS_ACCESS
    mov dword [task + Tss.eip], .first_once_more
    mov dword [task + Tss.eflags], 2
    jmp TASK:0
.first_once_more:

    ; a double fault by a task gate: the stack is gone, the task has its own
    set_descriptor DOUBLE, AT(double_task), TSS_ACCESS, Tss_size - 1, 0
    mov dword [double_task + Tss.eip], on_double
    mov dword [IDT + DF * 8], DOUBLE << 16
    mov dword [IDT + DF * 8 + 4], TASK_GATE_ACCESS << 8
    set_descriptor SPARE + 24, 0, DATA_ACCESS, 0xFFF, SMALL
    mov ax, SPARE + 24
    mov ss, ax
    mov esp, 0x5000
    mov ebx, 0xB0B
.dies:
    push eax                                  ; beyond the limit: #SS, which cannot be pushed either
    fail

on_call:
    mov [seen_esp], esp
    mov eax, [other_task + Tss.link]
    mov [seen_link], eax
    pushfd
    pop dword [seen_flags]
    mov eax, cr0
    mov [seen_cr0], eax
    mov ebx, 0x9999
    iretd
    inc dword [seen_again]
    iretd
on_jump:
    pushfd
    pop dword [seen_flags]
    jmp TASK:0

on_double:
    pop eax
    check eax, 0                              ; the error code
    check dword [double_task + Tss.link], TASK
    check dword [task + Tss.esp], 0x5000
    check dword [task + Tss.ebx], 0xB0B
    mov eax, [task + Tss.eip]
    check byte [eax], 0x50
    finish

align 4
seen_link: dd 0
seen_esp: dd 0
seen_flags: dd 0
seen_cr0: dd 0
seen_again: dd 0
%macro kernel_task 1
    istruc Tss
      at Tss.cr3, dd 0x10000
      at Tss.eflags, dd 2
      at Tss.esp, dd %1
      at Tss.es, dd KERNEL_DS
      at Tss.cs, dd KERNEL_CS
      at Tss.ss, dd KERNEL_DS
      at Tss.ds, dd KERNEL_DS
      at Tss.io_map, dw Tss_size
    iend
%endmacro
other_task: kernel_task FREE + 0x1000
double_task: kernel_task FREE + 0x2000
