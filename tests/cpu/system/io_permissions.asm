; Ports at CPL 3: IOPL, then the TSS's permission bitmap.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
    user_faults GP, 0, {in al, 0x80}
    mov byte [TSS + 0x68 + 0x80 / 8], 0       ; ports 0x80 to 0x87
    in_user
    in al, 0x80
    out 0x87, al
    mov ebx, 1
    end_user
    check qword [fault_vector], UD
    check ebx, 1
    user_faults GP, 0, {in al, 0x88}
    user_faults GP, 0, {in eax, 0x86}          ; the bits of all four ports have to be clear
    in_user
    in eax, 0x84
    end_user
    check qword [fault_vector], UD
    mov dx, 0x400                             ; beyond the TSS's limit
    user_faults GP, 0, {in al, dx}
    mov dword [user_flags], 0x3202            ; IOPL 3: the bitmap is not asked
    in_user
    in al, 0x88
    cli
    pushfq
    pop rbx
    end_user
    check qword [fault_vector], UD
    test ebx, 0x200
    check_cc z
    finish
