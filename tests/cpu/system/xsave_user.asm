; XSAVEC, XSAVEOPT and XGETBV at CPL 3 know the components of the guest's XCR0, whatever the host's has: lazy binding asks for
; more.
;; needs avx2
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
%define AREA DATA
%define XCOMP_BV (AREA + 520)

    mov rax, cr4
    or eax, 1 << 18
    mov cr4, rax
    check_alignment
    xor ecx, ecx
    xor edx, edx
    mov eax, 7
    xsetbv
    in_user
    choose_anew
    mov eax, 0xEE                        ; as the dynamic linker: all but x87 and MPX's bounds
    xor edx, edx
    xsavec [AREA]
    choose_anew
    mov eax, 0xEE
    xsaveopt [AREA + 0x400]
    choose_anew
    xor ecx, ecx
    xgetbv
    mov rbx, rax
    mov rbp, rdx
    end_user
    check qword [fault_vector], UD
    check rbx, 7
    check rbp, 0
    mov rax, 0x8000_0000_0000_0006
    check [XCOMP_BV], rax
    mov rax, [AREA + 0x400 + 512]
    and eax, ~7
    check rax, 0
    mov eax, 0xEE
    xor edx, edx
    xrstor [AREA]                        ; and what saved it does not matter
    finish
