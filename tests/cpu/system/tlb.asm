; Changed page tables are seen after INVLPG, a CR3 write or a change of CR4.PGE; more rights need none of them.
;; expect rax=0x600d
%include "prelude.inc"
%define A (FREE + 0x10000)
%define B (FREE + 0x11000)
%define AT (FREE + 0x12000)
    mov dword [A], 0xAAAA
    mov dword [B], 0xBBBB
    mov rbx, AT
    set_pte AT, A | PRESENT | WRITABLE
    check dword [rbx], 0xAAAA
    mov dword [rbx], 0xAAAB            ; in the TLB for writing as well
    set_pte AT, B | PRESENT | WRITABLE
    check dword [rbx], 0xBBBB
    mov dword [rbx], 0xBBBC
    check dword [A], 0xAAAB
    check dword [B], 0xBBBC

    mov qword [PTE(AT)], A | PRESENT | WRITABLE
    mov rax, cr3
    mov cr3, rax
    check dword [rbx], 0xAAAB

    ; a global page: CR3 may spare it, INVLPG and CR4.PGE may not
    mov rax, cr4
    or eax, 0x80
    mov cr4, rax
    set_pte AT, A | PRESENT | WRITABLE | GLOBAL
    check dword [rbx], 0xAAAB
    set_pte AT, B | PRESENT | WRITABLE | GLOBAL
    check dword [rbx], 0xBBBC
    mov qword [PTE(AT)], A | PRESENT | WRITABLE | GLOBAL
    mov rax, cr4
    and eax, ~0x80
    mov cr4, rax
    check dword [rbx], 0xAAAB

    ; more rights: the processor walks again before it faults
    set_pte AT, A | PRESENT
    check dword [rbx], 0xAAAB
    mov qword [PTE(AT)], A | PRESENT | WRITABLE
    mov dword [rbx], 1
    check dword [A], 1
    set_pte AT, 0
    faults PF, 0, {mov al, [rbx]}
    mov qword [PTE(AT)], A | PRESENT | WRITABLE
    mov al, [rbx]

    ; another address space: PML4 at B, its slot 1 leading where slot 0 does
    mov rdi, B
    mov ecx, 512
    xor eax, eax
    rep stosq
    mov rax, [PML4]
    mov [B], rax
    mov [B + 8], rax
    mov rdx, 1 << 39 | A
    faults PF, 0, {mov al, [rdx]}
    mov rax, B
    mov cr3, rax
    check dword [rdx], 1
    mov eax, PML4
    mov cr3, rax
    faults PF, 0, {mov al, [rdx]}

    ; code through a changed mapping
    mov dword [A], 0xC301B0        ; MOV AL, 1; RET
    mov dword [B], 0xC302B0
    set_pte AT, A | PRESENT | WRITABLE
    call rbx
    check al, 1
    set_pte AT, B | PRESENT | WRITABLE
    call rbx
    check al, 2
    finish
