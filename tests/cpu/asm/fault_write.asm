; A store over the end of what is mapped leaves what is before the end alone.
;; expect exception=14 cr2=0x10210000
;; mem 0x1020fffc: 11 11 11 11
%include "prelude.inc"
    mov dword [abs DATA_END - 4], 0x11111111
    mov rax, -1
    mov [abs DATA_END - 4], rax
    finish
