; The guest's own breakpoints: on instructions, data and ports, as a debugger in the guest sets them; DR6, RF, DR7.GD.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
%macro clear_dr6 0
    xor eax, eax
    mov dr6, rax
%endmacro
; check_dr6 BITS: of B0 to B3, BD, BS
%macro check_dr6 1
    mov rax, dr6
    and eax, 0x600F
    check eax, %1
%endmacro
; traps {INSTRUCTION}, BITS: #DB behind it
%macro traps 2
    clear_dr6
    mov qword [resume], %%after
    mov [resume_stack], rsp
    %1
%%at:
    fail
%%after:
    check qword [fault_vector], DB
    check qword [fault_rip], %%at
    check_dr6 %2
%endmacro

    ; an instruction, before it is executed; RF lets it pass
    mov rax, .target
    mov dr0, rax
    mov eax, 0x402                            ; G0
    mov dr7, rax
    clear_dr6
    mov qword [resume], .stopped
    mov [resume_stack], rsp
    xor ebx, ebx
.target:
    inc ebx
    fail
.stopped:
    check qword [fault_vector], DB
    check qword [fault_rip], .target
    check ebx, 0
    check_dr6 1
    push KERNEL_DS
    push STACK
    push 0x10002                              ; RF
    push KERNEL_CS
    push .once
    mov rax, .once
    mov dr0, rax
    iretq
.once:
    inc ebx
    check ebx, 1
    pushfq
    pop rcx
    and ecx, 0x10000                          ; it is gone behind it
    check ecx, 0

    ; data: writes, then reads as well; 1, 2, 4 and 8 bytes, any byte of which counts
    mov eax, FREE + 8
    mov dr1, rax
    mov eax, 0x00D00408                       ; G1, writes of 4 bytes
    mov dr7, rax
    traps {mov [FREE + 8], ebx}, 2
    traps {mov byte [FREE + 11], 1}, 2
    traps {mov qword [FREE + 4], rax}, 2
    traps {inc byte [FREE + 9]}, 2
    traps {lock xadd [FREE + 8], ebx}, 2
    traps {movups [FREE], xmm0}, 2
    mov byte [FREE + 12], 1
    mov byte [FREE + 7], 1
    mov ecx, [FREE + 8]
    mov eax, 0x00F00408                       ; reads and writes
    mov dr7, rax
    traps {mov ecx, [FREE + 8]}, 2
    traps {cmp byte [FREE + 10], 0}, 2
    mov rsp, FREE + 16
    traps {push rax}, 2
    mov rsp, STACK
    mov eax, 0x00B00408                       ; 8 bytes
    mov dr7, rax
    traps {mov cl, [FREE + 15]}, 2
    ; two at once, one of them by its local bit
    mov eax, FREE + 12
    mov dr2, rax
    mov eax, 0x01D00418
    mov dr7, rax
    traps {mov dword [FREE + 10], 0}, 2 + 4
    ; with a single step
    clear_dr6
    mov qword [resume], .stepped
    mov [resume_stack], rsp
    pushfq
    or qword [rsp], 0x100
    popfq
    mov dword [FREE + 8], 0
.stepped:
    check qword [fault_rip], .stepped
    check_dr6 0x4002
    ; each repetition of a string instruction
    mov ecx, 4
    mov edi, FREE + 4
    clear_dr6
    mov qword [resume], .repeated
    mov [resume_stack], rsp
.string:
    rep stosd
    fail
.repeated:
    check qword [fault_rip], .string
    check ecx, 2
    check edi, FREE + 12
    ; MOV SS holds it back
    xor eax, eax
    mov dr7, rax
    mov word [FREE + 8], KERNEL_DS
    mov eax, 0x00F00408
    mov dr7, rax
    clear_dr6
    mov qword [resume], .after_shadow
    mov [resume_stack], rsp
    mov ss, [FREE + 8]
    nop
.after_shadow:
    check qword [fault_rip], .after_shadow
    check_dr6 2

    ; ports, with CR4.DE
    mov rax, cr4
    or eax, 8
    mov cr4, rax
    mov eax, QUEUE_PORT
    mov dr3, rax
    mov eax, 0x20000480
    mov dr7, rax
    traps {out QUEUE_PORT, al}, 8
    traps {in al, QUEUE_PORT}, 8
    faults UD, 0, {mov rax, dr4}

    ; code at CPL 3 stops as well
    mov eax, CODE + 1
    mov dr0, rax
    mov eax, 0x402
    mov dr7, rax
    in_user
    nop
    nop
    end_user
    check qword [fault_vector], DB
    check qword [fault_rip], CODE + 1
    mov eax, DATA
    mov dr0, rax
    mov eax, 0x10402
    mov dr7, rax
    in_user
    mov ebx, DATA
    mov byte [rbx], 1
    end_user
    check qword [fault_vector], DB
    check qword [fault_rip], CODE + 8

    ; DR7.GD guards the registers themselves, once
    clear_dr6
    mov eax, 0x2400
    mov dr7, rax
    faults DB, 0, {mov rax, dr0}
    check_dr6 0x2000
    mov rax, dr7
    check eax, 0x400
    finish
