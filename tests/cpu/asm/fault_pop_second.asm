; POPs that run over the end of what is mapped: those before the end are done, RSP and the flags are those at the fault.
;; expect exception=14 cr2=0x10210000 rsp=0x10210000 rax=0x1111 rcx=0x2222 rdx=0x0 rflags=CF
%include "prelude.inc"
    mov qword [abs DATA_END - 16], 0x1111
    mov qword [abs DATA_END - 8], 0x2222
    mov rsp, DATA_END - 16
    stc
    pop rax
    pop rcx
    pop rdx
    pop rbx
    keep_flags
    finish
