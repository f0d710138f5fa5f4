; A mapping changes; before INVLPG another way to it is linked.
;; expect rax=0x600d
%include "prelude.inc"
%include "pages_of_code.inc"
    write_pages_of_code
    code_at CALLER + 0x100, 0xC300000EFBE8  ; CALL the page behind; RET
    mov rax, cr4
    or rax, 0x80
    mov cr4, rax
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    mov rax, SECOND | SHARED
    mov [PTE(AFTER)], rax
    code_at AFTER + 0x100000, 0xC3        ; takes AFTER's place among the fetches
    mov rbx, AFTER + 0x100000
    call rbx
    mov rbx, CALLER + 0x100
    call rbx                               ; either
    invlpg [AFTER]
    calls CALLER + 0x100, 2
    calls CALLER, 2
    finish
