; 32-bit paging: 4 KiB and 4 MiB pages, user and write rights, CR0.WP, accessed and dirty bits, error codes.
;; expect rax=0x600d
%include "protected.inc"
%define DIRECTORY 0x400000
%define TABLE 0x401000            ; of the first 4 MiB
%define PDE(address) (DIRECTORY + ((address) >> 22) * 4)
%define PTE(address) (TABLE + ((address) >> 12) * 4)
%define HIGH 0xC0000000           ; the same 4 MiB again, as kernels have it
%macro set_pte 2
    mov dword [PTE(%1)], %2
    invlpg [%1]
%endmacro
    mov edi, TABLE
    mov eax, PRESENT | WRITABLE
.fill:
    stosd
    add eax, 0x1000
    cmp edi, TABLE + 0x1000
    jb .fill
    mov dword [PDE(0)], TABLE | PRESENT | WRITABLE | USER
    mov dword [PDE(HIGH)], TABLE | PRESENT | WRITABLE | USER
    mov dword [PDE(DIRECTORY)], DIRECTORY | LARGE | PRESENT | WRITABLE
    mov dword [PDE(0x800000)], 0xC00000 | LARGE | PRESENT | WRITABLE
    mov eax, cr4
    or eax, 0x10                              ; PSE
    mov cr4, eax
    mov eax, DIRECTORY
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    and eax, ~0x10000                         ; no WP yet
    mov cr0, eax
    jmp .paging
.paging:
    mov dword [0x800004], 0x1234
    mov eax, [PDE(0x800000)]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED | DIRTY
    mov eax, [HIGH + FREE]
    mov dword [HIGH + FREE], 0x5678
    check dword [FREE], 0x5678
    ; A and D of small pages
    check dword [PTE(FREE)], FREE | PRESENT | WRITABLE | ACCESSED | DIRTY
    mov al, [FREE + 0x1000]
    check dword [PTE(FREE + 0x1000)], (FREE + 0x1000) | PRESENT | WRITABLE | ACCESSED

    ; what is not there
    mov ebx, 0x80000000
    faults PF, 0, {mov al, [ebx]}
    check [fault_cr2], ebx
    faults PF, 2, {mov [ebx + 4], al}
    add ebx, 4
    check [fault_cr2], ebx
    set_pte FREE + 0x2000, 0
    faults PF, 0, {mov al, [FREE + 0x2000]}
    faults PF, 2, {inc dword [FREE + 0x1FFE]} ; reaches into it
    check dword [fault_cr2], FREE + 0x2000
    ; the part of a 4 MiB page's address that this one does not have
    mov dword [PDE(0x800000)], 0xE00000 | LARGE | PRESENT | WRITABLE
    invlpg [0x800000]
    faults PF, 9, {mov al, [0x800000]}
    mov dword [PDE(0x800000)], 0xC00000 | LARGE | PRESENT | WRITABLE
    invlpg [0x800000]
    check dword [0x800004], 0x1234

    ; read-only pages: for the kernel with CR0.WP only
    set_pte FREE + 0x3000, (FREE + 0x3000) | PRESENT
    mov [FREE + 0x3000], al
    mov eax, cr0
    or eax, 0x10000
    mov cr0, eax
    faults PF, 3, {mov [FREE + 0x3000], al}
    mov al, [FREE + 0x3000]
    mov dword [PDE(0x800000)], 0xC00000 | LARGE | PRESENT
    invlpg [0x800000]
    faults PF, 3, {mov [0x800000], al}

    ; user pages, both levels have a say
    mov ebx, FREE + 0x4000
    in_user
    ud2
    end_user
    check dword [fault_vector], PF            ; of the code itself
    check dword [fault_error], 5
    or dword [PTE(0x100000)], USER
    or dword [PTE(0x101000)], USER
    or dword [PTE(0x102000)], USER
    or dword [PTE(0x103000)], USER
    or dword [PTE(USER_STACK - 0x1000)], USER
    mov eax, cr3
    mov cr3, eax
    user_faults UD, 0, {ud2}
    user_faults PF, 5, {mov al, [ebx]}
    user_faults PF, 7, {mov [ebx], al}
    mov ecx, 0x80000000
    user_faults PF, 4, {mov al, [ecx]}
    set_pte FREE + 0x4000, (FREE + 0x4000) | PRESENT | USER
    user_faults PF, 7, {mov [ebx], al}
    in_user
    mov al, [ebx]
    push eax
    pop eax
    end_user
    check dword [fault_vector], UD
    and dword [PDE(HIGH)], ~USER
    mov eax, cr3
    mov cr3, eax
    add ebx, HIGH
    user_faults PF, 5, {mov al, [ebx]}
    mov dword [PDE(0x800000)], 0xC00000 | LARGE | PRESENT | WRITABLE | USER
    invlpg [0x800000]
    in_user
    mov dword [0x800008], 0x4321
    end_user
    check dword [fault_vector], UD
    check dword [0x800008], 0x4321

    ; a directory entry is none of a large page without CR4.PSE
    mov eax, cr4
    and eax, ~0x10
    mov dword [0x3FF000], FREE | PRESENT | WRITABLE
    mov dword [PDE(0x800000)], 0x3FF000 | LARGE | PRESENT | WRITABLE
    mov cr4, eax
    mov dword [0x800000], 0x77
    check dword [FREE], 0x77
    finish
