; Process-context identifiers: what each sees, which CR3 writes drop it, global pages, INVLPG, and the rules of CR4.PCIDE.
;; expect rax=0x600d
%include "prelude.inc"
%include "pcid.inc"
    ; without CR4.PCIDE bit 63 of CR3 is reserved, and to set it CR3 has to have PCID 0
    mov rdx, KEEP | PML4
    faults GP, 0, {mov cr3, rdx}
    go 0, PML4 | 0x18                       ; PWT and PCD of old
    mov rdx, cr4
    or edx, CR4_PCIDE
    faults GP, 0, {mov cr4, rdx}
    go 0, PML4
    start_pcids
    mov rdx, KEEP | 1 << 52 | PML4          ; beyond the physical addresses
    faults GP, 0, {mov cr3, rdx}
    mov rdx, cr0
    btr edx, 31
    faults GP, 0, {mov cr0, rdx}

    ; to each its own, with and without bit 63, which does not stay
    check dword [rbx], 0xAAAA
    go 1, OTHER
    check dword [rbx], 0xBBBB
    mov dword [rbx], 0xBBBC
    go 0, PML4 | KEEP
    mov rax, cr3
    check rax, PML4
    check dword [rbx], 0xAAAA
    mov dword [rbx], 0xAAAB
    go 1, OTHER | KEEP
    mov rax, cr3
    check rax, OTHER | 1
    check dword [rbx], 0xBBBC
    check dword [B], 0xBBBC
    check dword [A], 0xAAAB

    ; a changed entry is seen after a write without bit 63, of the current PCID or coming from another
    mov qword [OTHER_PTE(AT)], A | PRESENT | WRITABLE | USER
    go 1, OTHER
    check dword [rbx], 0xAAAB
    go 0, PML4 | KEEP
    check dword [rbx], 0xAAAB
    mov qword [OTHER_PTE(AT)], B | PRESENT | WRITABLE | USER
    mov qword [PTE(AT)], B | PRESENT | WRITABLE | USER
    go 1, OTHER
    check dword [rbx], 0xBBBC
    go 0, PML4
    check dword [rbx], 0xBBBC
    set_pte AT, A | PRESENT | WRITABLE | USER
    check dword [rbx], 0xAAAB

    ; INVLPG is for the current PCID, and stays done when the space is left and comes back
    go 1, OTHER | KEEP
    check dword [rbx], 0xBBBC
    mov qword [OTHER_PTE(AT)], A | PRESENT | WRITABLE | USER
    invlpg [rbx]
    go 0, PML4 | KEEP
    go 1, OTHER | KEEP
    check dword [rbx], 0xAAAB
    mov qword [OTHER_PTE(AT)], B | PRESENT | WRITABLE | USER
    invlpg [rbx]

    ; the same tables under a PCID that never had any: nothing of the others
    go 2, PML4 | KEEP
    check dword [rbx], 0xAAAB
    go 3, OTHER | KEEP
    check dword [rbx], 0xBBBC
    ; more PCIDs than anybody keeps
    mov ecx, 4
.many:
    mov rax, OTHER | KEEP
    or rax, rcx
    mov cr3, rax
    check dword [rbx], 0xBBBC
    inc ecx
    cmp ecx, 40
    jb .many
    go 0, PML4 | KEEP
    check dword [rbx], 0xAAAB

    ; global pages: one for all, and INVLPG under any PCID drops it for all
    check dword [rbp], 0xAAAB
    go 1, OTHER
    check dword [rbp], 0xAAAB
    mov qword [PTE(GLOBAL_AT)], B | PRESENT | WRITABLE | GLOBAL
    mov qword [OTHER_PTE(GLOBAL_AT)], B | PRESENT | WRITABLE | GLOBAL
    invlpg [rbp]
    check dword [rbp], 0xBBBC
    go 0, PML4 | KEEP
    check dword [rbp], 0xBBBC

    ; a change of CR4.PGE drops everything of all
    go 1, OTHER | KEEP
    check dword [rbx], 0xBBBC
    go 0, PML4 | KEEP
    mov qword [OTHER_PTE(AT)], A | PRESENT | WRITABLE | USER
    mov rax, cr4
    xor eax, CR4_PGE
    mov cr4, rax
    xor eax, CR4_PGE
    mov cr4, rax
    go 1, OTHER | KEEP
    check dword [rbx], 0xAAAB

    ; fewer rights after a flush of a space that is not there at the moment
    mov dword [rbx], 0xAAAC
    go 0, PML4 | KEEP
    mov qword [OTHER_PTE(AT)], A | PRESENT | USER
    go 1, OTHER
    faults PF, 3, {mov dword [rbx], 1}
    mov qword [OTHER_PTE(AT)], A | PRESENT | WRITABLE | USER

    ; code: each space calls what it maps; a change of the code is seen by the space that is away
    mov dword [A], 0xC301B0                 ; MOV AL, 1; RET
    mov dword [B], 0xC302B0
    mov qword [OTHER_PTE(AT)], B | PRESENT | WRITABLE | USER
    go 1, OTHER
    mov ecx, 50
.calls:
    call rbx
    check al, 2
    go 0, PML4 | KEEP
    call rbx
    check al, 1
    go 1, OTHER | KEEP
    loop .calls
    go 0, PML4 | KEEP
    mov byte [B + 1], 3
    go 1, OTHER | KEEP
    call rbx
    check al, 3

    ; without PCIDE all are dropped; MOV to CR3 works as of old
    go 0, PML4 | KEEP
    mov qword [PTE(AT)], B | PRESENT | WRITABLE | USER
    mov rax, cr4
    btr eax, 17
    mov cr4, rax
    check byte [rbx + 1], 3
    go 0, OTHER | 0x18
    check byte [rbx + 1], 3
    finish
