; Page faults: error codes and CR2 for each reason that there is.
;; expect rax=0x600d
%include "prelude.inc"
%define PAGE (FREE + 0x5000)

    ; not there
    set_pte PAGE, 0
    mov rbx, PAGE
    faults PF, 0, {mov al, [rbx + 5]}
    mov rax, PAGE + 5
    check [fault_cr2], rax
    faults PF, 2, {mov [rbx + 7], al}
    mov rax, PAGE + 7
    check [fault_cr2], rax
    faults PF, 2, {lock add dword [rbx], 1}  ; read-modify-write is a write
    fault_ends {call rbx}
    check qword [fault_vector], PF
    check qword [fault_error], 0x10          ; fetch
    mov rax, PAGE
    check [fault_rip], rax
    check [fault_cr2], rax

    ; the second page of an access that crosses into it
    mov rbx, PAGE - 3
    mov qword [PAGE - 8], -1
    faults PF, 2, {mov [rbx], rcx}
    mov rax, PAGE
    check [fault_cr2], rax
    check qword [PAGE - 8], -1           ; nothing was written

    ; read-only, with and without CR0.WP
    set_pte PAGE, PAGE | PRESENT
    mov rbx, PAGE
    mov al, [rbx]
    faults PF, 3, {mov [rbx], al}
    mov rax, cr0
    and eax, ~0x10000
    mov cr0, rax
    mov byte [rbx], 0x5A
    or eax, 0x10000
    mov cr0, rax
    faults PF, 3, {mov [rbx], al}
    check byte [rbx], 0x5A

    ; no-execute
    mov rax, 1 << 63 | PAGE | PRESENT | WRITABLE
    mov [PTE(PAGE)], rax
    invlpg [PAGE]
    mov byte [rbx], 0xC3
    fault_ends {call rbx}
    check qword [fault_vector], PF
    check qword [fault_error], 0x11
    set_pte PAGE, PAGE | PRESENT | WRITABLE
    call rbx

    ; a reserved bit: physical addresses have 46 bits
    mov rax, 1 << 50 | PAGE | PRESENT | WRITABLE
    mov [PTE(PAGE)], rax
    invlpg [PAGE]
    faults PF, 9, {mov al, [rbx]}
    faults PF, 0xB, {mov [rbx], al}

    ; not canonical: no page fault at all
    mov rbx, 1 << 47
    faults GP, 0, {mov al, [rbx]}
    finish
