; User code at the same address in several address spaces: each runs its own, however it gets there, and what was flushed is
; looked for anew.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
%include "pcid.inc"
%define RIGHTS (PRESENT | WRITABLE | USER)
; User code that calls ADDRESS some times, gets there by a jump once, and is given VALUE each time.
%macro calls_give 2
    in_user
    mov rbx, %1
    mov ecx, 8
%%again:
    call rbx
    cmp al, %2
    jne %%end
    loop %%again
    lea rax, [rel %%end]
    push rax
    jmp rbx
%%end:
    end_user
    check qword [fault_vector], UD
    check al, %2
    check ecx, 0
%endmacro

    start_pcids
    mov dword [A], 0xC301B0                 ; MOV AL, 1; RET
    mov dword [B], 0xC302B0
    set_pte AT, A | RIGHTS
    mov qword [OTHER_PTE(AT)], B | RIGHTS
    go 1, OTHER
    mov ebp, 20
.turns:
    go 0, PML4 | KEEP
    calls_give AT, 1
    go 1, OTHER | KEEP
    calls_give AT, 2
    dec ebp
    jnz .turns

    ; INVLPG is for the current space
    mov qword [OTHER_PTE(AT)], A | RIGHTS
    mov rbx, AT
    invlpg [rbx]
    calls_give AT, 1
    go 0, PML4 | KEEP
    calls_give AT, 1
    go 1, OTHER | KEEP
    calls_give AT, 1
    mov qword [OTHER_PTE(AT)], B | RIGHTS
    go 0, PML4 | KEEP
    go 1, OTHER
    calls_give AT, 2

    ; code that changes while its space is away
    go 0, PML4 | KEEP
    mov byte [B + 1], 3
    go 1, OTHER | KEEP
    calls_give AT, 3

    ; a global page is flushed for all
    set_pte GLOBAL_AT, A | RIGHTS | GLOBAL
    mov qword [OTHER_PTE(GLOBAL_AT)], A | RIGHTS | GLOBAL
    calls_give GLOBAL_AT, 1
    go 0, PML4 | KEEP
    calls_give GLOBAL_AT, 1
    mov qword [PTE(GLOBAL_AT)], B | RIGHTS | GLOBAL
    mov qword [OTHER_PTE(GLOBAL_AT)], B | RIGHTS | GLOBAL
    mov rbx, GLOBAL_AT
    invlpg [rbx]
    calls_give GLOBAL_AT, 3
    go 1, OTHER | KEEP
    calls_give GLOBAL_AT, 3

    ; so many flushes that whatever numbers spaces begins anew
    mov ebp, 4200
.flushes:
    go 0, PML4
    go 1, OTHER | KEEP
    test ebp, 127
    jnz .next
    calls_give AT, 3
    go 0, PML4 | KEEP
    calls_give AT, 1
.next:
    dec ebp
    jnz .flushes
    go 1, OTHER | KEEP
    calls_give AT, 3
    finish
