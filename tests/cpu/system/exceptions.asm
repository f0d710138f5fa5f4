; Exceptions of instructions, and their frames.
;; expect rax=0x600d
%include "prelude.inc"
    xor ecx, ecx
    faults DE, 0, {div ecx}
    mov eax, 0x80000000
    cdq
    mov ecx, -1
    faults DE, 0, {idiv ecx}
    faults UD, 0, {ud2}
    faults UD, 0, {db 0xF0, 0x90}        ; LOCK NOP
    mov rbx, 1 << 47
    faults GP, 0, {mov al, [rbx]}
    faults GP, 0, {wrmsr}                ; of an MSR that is not there (ECX = -1)
    faults GP, 0, {mov cr0, rbx}
    mov ax, 0x48
    faults GP, 0x48, {mov ds, ax}        ; in the TSS descriptor's second half
    mov ax, KERNEL_CS
    faults GP, KERNEL_CS, {mov ss, ax}
    faults GP, 0x20 * 8 + 2, {int 0x20}  ; no gate there (0x20 is not filled in)

    ; the frame: flags, stack, aligned to 16 bytes
    mov rsp, STACK - 3
    stc
    fault_ends {ud2}
    mov rax, STACK - 3
    check [fault_rsp], rax
    check qword [fault_cs], KERNEL_CS
    mov eax, [fault_rflags]
    and eax, 1
    check eax, 1
    mov rsp, STACK

    ; traps: RIP is behind the instruction
    mov qword [resume], .behind
    mov [resume_stack], rsp
    int3
.behind:
    check qword [fault_vector], BP
    check qword [fault_rip], .behind
    mov qword [resume], .behind_int1
    db 0xF1
.behind_int1:
    check qword [fault_vector], DB
    check qword [fault_rip], .behind_int1

    ; single step: #DB after the instruction that follows POPF
    mov qword [resume], .stepped
    pushfq
    or qword [rsp], 0x100
    popfq
    nop
.stepped:
    check qword [fault_vector], DB
    check qword [fault_rip], .stepped
    mov rax, dr6
    and eax, 0x4000
    check eax, 0x4000
    mov eax, [fault_rflags]
    and eax, 0x100
    check eax, 0x100

    ; no FPU for now
    mov rax, cr0
    or eax, 8                            ; TS
    mov cr0, rax
    faults NM, 0, {fld1}
    faults NM, 0, {paddd xmm0, xmm1}
    clts
    fld1
    mov rax, cr0
    or eax, 4                            ; EM
    mov cr0, rax
    faults NM, 0, {fld1}
    faults UD, 0, {paddd xmm0, xmm1}
    and eax, ~4
    mov cr0, rax
    mov rax, cr4
    and eax, ~0x200                      ; OSFXSR
    mov cr4, rax
    faults UD, 0, {paddd xmm0, xmm1}
    or eax, 0x200
    mov cr4, rax

    ; unmasked floating-point exceptions
    fninit
    mov word [FREE], 0x37B           ; divide by zero
    fldcw [FREE]
    fld1
    fldz
    fdivp
    faults MF, 0, {fwait}
    fninit
    mov dword [FREE], 0x1D80
    ldmxcsr [FREE]
    xorps xmm0, xmm0
    pcmpeqd xmm1, xmm1
    psrld xmm1, 25
    pslld xmm1, 23                       ; 1.0
    faults XM, 0, {divss xmm1, xmm0}
    finish
