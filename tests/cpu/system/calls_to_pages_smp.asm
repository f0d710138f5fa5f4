; Two processors call a page of code from the same page of code, but their tables lead to two pages there; and one of them
; changes its own.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "pages_of_code.inc"
%include "threads.inc"
%define ROUNDS 300
%define TABLES (FREE + 0x60000)            ; of the second processor: PML4, PDPT, PD, PT
%define OWN_PTE(address) (TABLES + 0x3000 + (((address) - FREE) >> 12) * 8)
    write_pages_of_code
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, FIRST | SHARED
    ; a copy of the tables for the 2 MiB from FREE on
    mov esi, PML4
    mov edi, TABLES
    mov ecx, 0x3000 / 8
    cld
    rep movsq
    mov esi, PTE(FREE)
    mov ecx, 0x1000 / 8
    rep movsq
    mov qword [TABLES], (TABLES + 0x1000) | PRESENT | WRITABLE
    mov qword [TABLES + 0x1000], (TABLES + 0x2000) | PRESENT | WRITABLE
    mov qword [TABLES + 0x2008], (TABLES + 0x3000) | PRESENT | WRITABLE
    mov qword [OWN_PTE(AFTER)], SECOND | SHARED
    on_all 2
    finish

thread:
    mov rax, cr4
    or eax, 0x80
    mov cr4, rax
    test ebx, ebx
    jz .first
    mov eax, TABLES
    mov cr3, rax
.first:
    push rbx
    meet
    pop rbx
    mov r13d, ROUNDS
    test ebx, ebx
    jnz .second
.change:
    calls CALLER, 1
    set_pte AFTER, SECOND | SHARED
    calls CALLER, 2
    set_pte AFTER, FIRST | SHARED
    calls CALLER, 1
    mov eax, [progress]
.until_called:
    pause
    cmp [progress], eax
    je .until_called
    dec r13d
    jnz .change
    mov dword [stop], 1
    ret

.second:
    calls CALLER, 2
    inc dword [progress]
    cmp dword [stop], 0
    je .second
    ret
align 64
progress: dd 0
align 64
stop: dd 0
