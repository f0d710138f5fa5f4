; No IDT at all: the machine shuts down.
;; ends shutdown
%include "prelude.inc"
    sub rsp, 16
    mov qword [rsp], 0
    mov qword [rsp + 8], 0
    lidt [rsp]
    ud2
