; Accessed and dirty bits of page table entries, in all levels.
;; expect rax=0x600d
%include "prelude.inc"
%define PAGE (FREE + 0x7000)
    mov rbx, PAGE
    set_pte PAGE, PAGE | PRESENT | WRITABLE
    and byte [PML4], ~ACCESSED
    mov rax, cr3
    mov cr3, rax
    mov al, [rbx]
    mov rax, [PTE(PAGE)]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED
    mov al, [PML4]
    and al, ACCESSED
    check al, ACCESSED
    mov [rbx], al               ; the page is in the TLB by now, but not for writing
    mov rax, [PTE(PAGE)]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED | DIRTY
    ; a locked operation that writes nothing new is a write too
    set_pte PAGE, PAGE | PRESENT | WRITABLE
    mov eax, 1
    mov ecx, 2
    lock cmpxchg [rbx], ecx
    mov rax, [PTE(PAGE)]
    and eax, DIRTY
    check eax, DIRTY
    ; a fetch sets A alone
    set_pte PAGE, PAGE | PRESENT | WRITABLE
    set_pte PAGE + 0x1000, (PAGE + 0x1000) | PRESENT | WRITABLE
    mov byte [rbx], 0xC3
    set_pte PAGE, PAGE | PRESENT | WRITABLE
    call rbx
    mov rax, [PTE(PAGE)]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED
    ; a write that is not allowed
    set_pte PAGE, PAGE | PRESENT
    faults PF, 3, {mov [rbx], al}
    mov rax, [PTE(PAGE)]
    and eax, DIRTY
    check eax, 0
    finish
