; Kernel code calls another page whose mapping, or whose bytes, change; and is run at two addresses itself.
;; expect rax=0x600d
%include "prelude.inc"
%include "pages_of_code.inc"
%define PDE(address) (0x12000 + ((address) >> 21) * 8)
%define ALIAS (FREE + 0x40000)
%define BIG 0x600000                       ; a large page
%define PIECES (FREE + 0x50000)            ; a page table for it

%macro change_cr4 2
    mov rax, cr4
    %1 rax, %2
    mov cr4, rax
%endmacro
%macro reload_cr3 0
    mov rax, cr3
    mov cr3, rax
%endmacro
    write_pages_of_code
    change_cr4 or, 0x80

    ; global, with INVLPG
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    set_pte AFTER, SECOND | SHARED
    calls CALLER, 2
    ; with a change of CR4.PGE
    mov qword [PTE(AFTER)], FIRST | SHARED
    change_cr4 and, ~0x80
    change_cr4 or, 0x80
    calls CALLER, 1
    ; while CR4.PGE is clear, with CR3
    change_cr4 and, ~0x80
    calls CALLER, 1
    mov qword [PTE(AFTER)], SECOND | SHARED
    reload_cr3
    calls CALLER, 2
    change_cr4 or, 0x80
    calls CALLER, 2
    ; not global, with CR3
    set_pte AFTER, FIRST | PRESENT | WRITABLE
    calls CALLER, 1
    mov qword [PTE(AFTER)], SECOND | PRESENT | WRITABLE
    reload_cr3
    calls CALLER, 2
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1

    ; gone, and back
    set_pte AFTER, 0
    fault_ends {call CALLER}
    check qword [fault_vector], PF
    check qword [fault_rip], AFTER
    mov rax, cr2
    check rax, AFTER
    mov rax, FIRST | SHARED
    mov [PTE(AFTER)], rax
    calls CALLER, 1

    ; other bytes
    mov byte [FIRST + 1], 3
    calls CALLER, 3
    mov byte [FIRST + 1], 1
    calls CALLER, 1

    ; the same page of code elsewhere, where another one is behind it
    set_pte ALIAS, CALLER | SHARED
    set_pte ALIAS + 0x1000, SECOND | SHARED
    calls ALIAS, 2
    calls CALLER, 1
    calls ALIAS, 2
    ; bytes of it change, so that all of it is made anew, and it is run at the two in the other order
    mov byte [CALLER + 6], 0x90
    mov byte [CALLER + 6], 0xC3
    calls ALIAS, 2
    calls CALLER, 1

    ; jumps of all kinds
    code_at CALLER, 0xFFB840F              ; JZ +0xFFB: one byte into the page behind
    mov dword [CALLER + 4], 0xC3900000
    code_at FIRST, 0xC300000001B890        ; NOP; MOV EAX, 1; RET
    code_at SECOND, 0xC300000002B890
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    set_pte AFTER, SECOND | SHARED
    calls CALLER, 2
    mov word [CALLER + 0xFFE], 0x9090      ; two NOPs, and on to the page behind
    calls CALLER + 0xFFE, 2
    set_pte AFTER, FIRST | SHARED
    calls CALLER + 0xFFE, 1
    set_pte AFTER, SECOND | SHARED
    calls CALLER + 0xFFE, 2

    ; a large page, and then small ones in its place
    code_at BIG, 0xC300000FFBE8
    code_at BIG + 0x1000, 0xC300000004B8
    or qword [PDE(BIG)], GLOBAL
    invlpg [BIG]
    calls BIG, 4
    mov rdi, PIECES
    mov eax, BIG | SHARED
    mov ecx, 512
.piece:
    mov [rdi], rax
    add rax, 0x1000
    add rdi, 8
    dec ecx
    jnz .piece
    code_at SECOND, 0xC300000002B8
    mov qword [PIECES + 8], SECOND | SHARED
    mov qword [PDE(BIG)], PIECES | PRESENT | WRITABLE
    invlpg [BIG + 0x5000]                  ; of the large page, whichever address
    calls BIG, 2
    finish
