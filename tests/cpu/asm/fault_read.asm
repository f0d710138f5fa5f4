; An access that runs over the end of what is mapped: CR2 is the first byte there, and nothing changes.
;; expect exception=14 cr2=0x10210000 rax=0x1122 rflags=CF
%include "prelude.inc"
    mov eax, 0x1122
    mov ecx, 1
    stc
    mov rbx, DATA_END - 3
    mov rax, [rbx]
    keep_flags                       ; they are needed, so they are in the exception frame
    finish
