; #AC: misaligned accesses at CPL 3 where CR0.AM and EFLAGS.AC are set, and nowhere else.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
    mov rax, cr0
    or eax, 1 << 18                           ; AM
    mov cr0, rax
    mov qword [user_flags], 0x40202           ; AC
    mov rbx, DATA + 1
    user_faults AC, 0, {mov ax, [rbx]}
    user_faults AC, 0, {mov [rbx], eax}
    user_faults AC, 0, {add [rbx + 3], rax}
    user_faults AC, 0, {lock xadd [rbx], eax}
    user_faults AC, 0, {push qword [rbx]}
    in_user
    mov al, [rbx]
    mov ax, [rbx + 1]
    mov eax, [rbx + 3]
    mov rax, [rbx + 7]
    movups xmm0, [rbx]
    end_user
    check qword [fault_vector], UD
    in_user
    lea rsp, [rbx + 0x100]
    push rax
    end_user
    check qword [fault_vector], AC
    ; POPF switches it on and off
    mov qword [user_flags], 0x202
    in_user
    mov eax, [rbx]
    push 0x40202
    popfq
    mov ecx, [rbx]
    end_user
    check qword [fault_vector], AC
    mov eax, [fault_rflags]
    and eax, 0x40000
    check eax, 0x40000
    ; at CPL 0 AC has another meaning
    pushfq
    or qword [rsp], 0x40000
    popfq
    mov eax, [rbx]
    pushfq
    and qword [rsp], ~0x40000
    popfq
    ; without AM there is none
    mov rax, cr0
    and eax, ~(1 << 18)
    mov cr0, rax
    mov qword [user_flags], 0x40202
    in_user
    mov ecx, [rbx]
    end_user
    check qword [fault_vector], UD
    finish
