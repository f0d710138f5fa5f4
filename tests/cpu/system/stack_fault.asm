; #SS for stack operands at an address that is not canonical.
;; expect rax=0x600d
%include "prelude.inc"
    mov rbp, (1 << 47) + 64
    faults 12, 0, {mov al, [rbp]}
    faults 12, 0, {mov [rbp + 8], rax}
    mov rbx, rbp
    faults GP, 0, {mov al, [rbx]}
    set_gate 12, stubs + 16 * 12, 0x8E, 1  ; on a stack of its own: this one is of no use
    mov [resume_stack], rsp
    mov qword [resume], .after
    mov rsp, rbp
    push rax
    fail
.after:
    check qword [fault_vector], 12
    check [fault_rsp], rbp
    finish
