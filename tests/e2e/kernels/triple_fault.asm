; No interrupt table: the exception of UD2 becomes a double fault, and that a triple fault.
%include "header.inc"
entry:
        lidt [no_table]
        ud2
no_table:
        dw 0
        dq 0
end_of_file:
