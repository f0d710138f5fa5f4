; To CPL 3 by IRET and SYSRET and back by exceptions and SYSCALL; what is not allowed there.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
    ; the frame of an exception from CPL 3 is on the TSS's stack
    user_faults UD, 0, {ud2}
    check qword [fault_cs], USER_CS
    check qword [fault_ss], USER_DS
    check qword [fault_rsp], DATA + 0x800
    mov eax, [fault_rflags]
    and eax, 0x200
    check eax, 0x200

    ; pages
    mov rbx, STACK
    user_faults PF, 5, {mov al, [rbx]}
    user_faults PF, 7, {mov [rbx], al}
    mov rbx, DATA + 0x1000
    user_faults PF, 7, {mov [rbx], al}
    mov rbx, 3 << 30
    user_faults PF, 4, {mov al, [rbx]}
    user_faults PF, 6, {mov [rbx], al}
    in_user
    mov rbx, STACK
    jmp rbx
    end_user
    check qword [fault_vector], PF
    check qword [fault_error], 0x15
    mov rax, STACK
    check [fault_rip], rax

    ; instructions of CPL 0
    user_faults GP, 0, {hlt}
    user_faults GP, 0, {cli}
    user_faults GP, 0, {sti}
    user_faults GP, 0, {mov rax, cr0}
    user_faults GP, 0, {mov cr3, rax}
    user_faults GP, 0, {rdmsr}
    user_faults GP, 0, {wrmsr}
    user_faults GP, 0, {invlpg [rax]}
    user_faults GP, 0, {lidt [rbx]}
    user_faults GP, 0, {lgdt [rbx]}
    user_faults GP, 0, {ltr ax}
    user_faults GP, 0, {clts}
    user_faults GP, 0, {swapgs}
    user_faults GP, 0, {wbinvd}
    user_faults GP, 0, {mov rax, dr7}
    user_faults GP, 0, {in al, 0x80}
    user_faults GP, 3 * 16 + 2 + 0x200, {int 0x46}
    user_faults GP, 14 * 8 + 2, {int 14}
    in_user
    int3
    end_user
    check qword [fault_vector], BP
    check qword [fault_rip], CODE + 1
    in_user
    db 0xF1  ; INT1, whose gate is for CPL 0
    end_user
    check qword [fault_vector], DB
    check qword [fault_rip], CODE + 1
    mov bx, KERNEL_DS
    user_faults GP, KERNEL_DS, {mov ss, bx}

    ; POPF at CPL 3 changes neither IF nor IOPL
    in_user
    push 0x3CD5
    popfq
    pushfq
    pop rbx
    end_user
    check ebx, 0xED7                          ; IF as it was, IOPL 0

    ; RDTSC, CR4.TSD
    in_user
    rdtsc
    end_user
    check qword [fault_vector], UD
    mov rax, cr4
    or eax, 4
    mov cr4, rax
    user_faults GP, 0, {rdtsc}
    rdtsc
    mov rax, cr4
    and eax, ~4
    mov cr4, rax

    ; SYSCALL and SYSRET: STAR names KERNEL_CS and, less 16, USER_CS
    write_msr 0xC0000081, (0x1B << 48 | 0x08 << 32)
    write_msr 0xC0000082, on_syscall
    write_msr 0xC0000084, 0x4D5               ; SFMASK: no arithmetic flags, no DF
    mov [kept_stack], rsp
    in_user
    stc
    std
    mov rbp, rsp
    syscall
    pushfq
    pop rbx
    end_user
    check qword [fault_vector], UD
    check qword [fault_cs], USER_CS
    check qword [fault_ss], USER_DS
    check qword [fault_rsp], DATA + 0x800
    check ebx, 0x603                          ; RFLAGS were in R11: CF, DF, IF
    check qword [seen_flags], 0x202
    check qword [seen_cs], KERNEL_CS
    check qword [seen_ss], KERNEL_DS
    check qword [seen_rcx], CODE + 7
    finish

align 8
kept_stack: dq 0
seen_flags: dq 0
seen_cs: dq 0
seen_ss: dq 0
seen_rcx: dq 0
on_syscall:
    pushfq
    pop qword [seen_flags]
    check rsp, rbp                            ; SYSCALL leaves the stack alone
    mov rsp, STACK - 0x1000
    mov [seen_rcx], rcx
    mov eax, cs
    mov [seen_cs], rax
    mov eax, ss
    mov [seen_ss], rax
    mov rsp, rbp
    o64 sysret
