; PAE paging: 4 KiB and 2 MiB pages, no-execute, reserved bits, the four directory pointers, 32-bit code at CPL 3.
;; expect rax=0x600d
%include "protected.inc"
%define POINTERS 0x400020
%define DIRECTORY 0x401000
%define TABLE 0x402000
%define PDE(address) (DIRECTORY + ((address) >> 21) * 8)
%define PTE(address) (TABLE + ((address) >> 12) * 8)   ; below 4 MiB
%define NO_EXECUTE 0x80000000                          ; of the upper half
%macro set_pte 3  ; ADDRESS, LOWER, UPPER HALF
    mov dword [PTE(%1)], %2
    mov dword [PTE(%1) + 4], %3
    invlpg [%1]
%endmacro
%macro set_pde 3
    mov dword [PDE(%1)], %2
    mov dword [PDE(%1) + 4], %3
    invlpg [%1]
%endmacro
    mov edi, TABLE
    mov eax, PRESENT | WRITABLE | USER
.fill:
    stosd
    mov dword [edi], 0
    add edi, 4
    add eax, 0x1000
    cmp edi, TABLE + 0x2000
    jb .fill
    mov dword [PDE(0)], TABLE | PRESENT | WRITABLE | USER
    mov dword [PDE(0x200000)], (TABLE + 0x1000) | PRESENT | WRITABLE | USER
    mov dword [PDE(0x400000)], 0x400000 | LARGE | PRESENT | WRITABLE
    mov dword [PDE(0x600000)], 0x800000 | LARGE | PRESENT | WRITABLE
    mov dword [POINTERS], DIRECTORY | PRESENT
    mov dword [POINTERS + 3 * 8], DIRECTORY | PRESENT
    mov eax, cr4
    or eax, 0x20                              ; PAE
    mov cr4, eax
    mov eax, POINTERS
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000                        ; PG WP
    mov cr0, eax
    jmp .paging
.paging:
    ; four gigabytes have a pointer each
    mov dword [FREE], 0x1234
    check dword [FREE + 0xC0000000], 0x1234
    mov ebx, FREE + 0x40000000
    faults PF, 0, {mov al, [ebx]}
    check [fault_cr2], ebx
    ; a large page, its A and D
    mov dword [0x600004], 0x55
    mov eax, [PDE(0x600000)]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED | DIRTY
    set_pde 0x600000, 0x400000 | LARGE | PRESENT, 0
    faults PF, 3, {mov [0x600000], al}
    set_pde 0x600000, 0x402000 | LARGE | PRESENT, 0
    faults PF, 9, {mov al, [0x600000]}        ; not aligned to its size
    ; reserved bits of small pages: the upper ones are not for software here
    set_pte FREE + 0x1000, (FREE + 0x1000) | PRESENT | WRITABLE, 1 << 20
    faults PF, 9, {mov al, [FREE + 0x1000]}
    set_pte FREE + 0x1000, (FREE + 0x1000) | PRESENT | WRITABLE, 1 << 19
    faults PF, 11, {mov [FREE + 0x1000], al}
    set_pte FREE + 0x1000, (FREE + 0x1000) | PRESENT, 0
    faults PF, 3, {mov [FREE + 0x1000], al}

    ; no-execute, small and large
    mov byte [FREE + 0x2000], 0xC3
    mov ebx, FREE + 0x2000
    call ebx
    set_pte FREE + 0x2000, (FREE + 0x2000) | PRESENT | WRITABLE, NO_EXECUTE
    fault_ends {call ebx}
    check dword [fault_vector], PF
    check dword [fault_error], 0x11
    check [fault_eip], ebx
    check [fault_cr2], ebx
    mov esp, STACK
    set_pde 0x600000, 0x800000 | LARGE | PRESENT | WRITABLE, NO_EXECUTE
    mov byte [0x600000], 0xC3
    mov ebx, 0x600000
    fault_ends {jmp ebx}
    check dword [fault_error], 0x11
    set_pde 0x600000, 0x800000 | LARGE | PRESENT | WRITABLE, 0
    call ebx
    ; of a whole directory entry
    set_pde 0x200000, (TABLE + 0x1000) | PRESENT | WRITABLE | USER, NO_EXECUTE
    set_pte FREE + 0x2000, (FREE + 0x2000) | PRESENT | WRITABLE, 0
    mov ebx, FREE + 0x2000
    fault_ends {jmp ebx}
    check dword [fault_error], 0x11
    set_pde 0x200000, (TABLE + 0x1000) | PRESENT | WRITABLE | USER, 0
    ; without EFER.NXE the bit is reserved
    set_pte FREE + 0x2000, (FREE + 0x2000) | PRESENT | WRITABLE, NO_EXECUTE
    mov ecx, 0xC0000080
    rdmsr
    and eax, ~0x800
    wrmsr
    mov eax, cr3
    mov cr3, eax
    faults PF, 9, {mov al, [FREE + 0x2000]}
    rdmsr
    or eax, 0x800
    wrmsr

    ; 32-bit code at CPL 3
    user_faults UD, 0, {ud2}
    mov ebx, 0x400000
    user_faults PF, 5, {mov al, [ebx]}
    set_pte FREE + 0x3000, (FREE + 0x3000) | PRESENT | USER, NO_EXECUTE
    mov ebx, FREE + 0x3000
    user_faults PF, 7, {mov [ebx], al}
    in_user
    jmp ebx
    end_user
    check dword [fault_error], 0x15
    check [fault_eip], ebx

    ; a pointer with a reserved bit cannot be loaded
    mov dword [POINTERS + 8], DIRECTORY | PRESENT | WRITABLE
    mov eax, POINTERS
    faults GP, 0, {mov cr3, eax}
    mov dword [POINTERS + 8], 0
    mov cr3, eax
    finish
