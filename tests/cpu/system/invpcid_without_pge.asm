; INVPCID for what is not global, while CR4.PGE is clear: ways between pages that were linked before rely on nothing else then.
;; expect rax=0x600d
%include "prelude.inc"
%include "pages_of_code.inc"
    mov eax, 7
    xor ecx, ecx
    cpuid
    bt ebx, 10
    jc .there
    finish
.there:
    write_pages_of_code
    mov rax, cr4
    or rax, 0x80
    mov cr4, rax
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    mov rax, cr4
    and rax, ~0x80
    mov cr4, rax
    calls CALLER, 1
    %assign type 3
    %rep 2
    mov rax, SECOND | SHARED
    mov [PTE(AFTER)], rax
    mov edx, type
    invpcid rdx, [descriptor]
    calls CALLER, 2
    mov rax, FIRST | SHARED
    mov [PTE(AFTER)], rax
    mov edx, type
    invpcid rdx, [descriptor]
    calls CALLER, 1
    %assign type type - 2
    %endrep
    finish
align 16
descriptor: dq 0, 0
