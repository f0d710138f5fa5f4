; Pages of 1 GiB and 2 MiB beside small ones: rights, no-execute, reserved bits, accessed and dirty bits, splitting one.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
%define POINTERS 0x400000                     ; of the 512 GiB from HUGE on
%define DIRECTORY 0x401000
%define HUGE 0x8000000000
    mov eax, 0x80000001
    cpuid
    shr edx, 26
    and edx, 1
    check edx, 1                              ; CPUID has them
    mov qword [PML4 + 8], POINTERS | PRESENT | WRITABLE | USER
    mov qword [POINTERS], LARGE | PRESENT | WRITABLE
    mov rbx, HUGE + FREE
    mov dword [FREE], 0x1234
    check dword [rbx], 0x1234
    check dword [POINTERS], LARGE | PRESENT | WRITABLE | ACCESSED
    mov dword [rbx], 0x5678
    check dword [FREE], 0x5678
    check dword [POINTERS], LARGE | PRESENT | WRITABLE | ACCESSED | DIRTY
    ; code in it
    mov byte [FREE], 0xC3
    call rbx
    mov rax, 1 << 63 | LARGE | PRESENT | WRITABLE
    mov [POINTERS], rax
    invlpg [rbx]
    fault_ends {call rbx}
    check qword [fault_vector], PF
    check qword [fault_error], 0x11
    mov rsp, STACK
    ; INVLPG of any of its addresses is of the whole page
    mov qword [POINTERS], LARGE | PRESENT
    mov rax, HUGE + 0x3FFFF000
    invlpg [rax]
    faults PF, 3, {mov [rbx], al}
    check [fault_cr2], rbx
    user_faults PF, 5, {mov al, [rbx]}
    mov qword [POINTERS], LARGE | PRESENT | USER
    invlpg [rbx]
    in_user
    mov al, [rbx]
    end_user
    check qword [fault_vector], UD
    user_faults PF, 7, {mov [rbx], al}
    ; address bits below its size
    mov qword [POINTERS], 0x200000 | LARGE | PRESENT
    invlpg [rbx]
    faults PF, 9, {mov al, [rbx]}
    mov rax, 1 << 50 | LARGE | PRESENT
    mov [POINTERS], rax
    invlpg [rbx]
    faults PF, 9, {mov al, [rbx]}
    ; PML4 entries are no pages
    or qword [PML4 + 8], LARGE
    mov qword [POINTERS], LARGE | PRESENT | WRITABLE
    mov rax, cr3
    mov cr3, rax
    faults PF, 9, {mov al, [rbx]}
    and qword [PML4 + 8], ~LARGE
    ; split into pages of 2 MiB, one of which is elsewhere
    mov qword [DIRECTORY], LARGE | PRESENT | WRITABLE
    mov qword [DIRECTORY + 8], 0x600000 | LARGE | PRESENT | WRITABLE
    mov qword [POINTERS], DIRECTORY | PRESENT | WRITABLE
    mov cr3, rax
    mov dword [0x600000], 0xABCD
    check dword [rbx], 0xABCD
    mov dword [rbx], 0xDCBA
    check dword [0x600000], 0xDCBA
    mov eax, [DIRECTORY + 8]
    and eax, ACCESSED | DIRTY
    check eax, ACCESSED | DIRTY
    mov rax, 1 << 63 | 0x600000 | LARGE | PRESENT | WRITABLE
    mov [DIRECTORY + 8], rax
    invlpg [rbx]
    fault_ends {call rbx}
    check qword [fault_error], 0x11
    mov rsp, STACK
    mov qword [DIRECTORY + 8], 0x602000 | LARGE | PRESENT | WRITABLE
    invlpg [rbx]
    faults PF, 9, {mov al, [rbx]}
    ; the bits from 52 up are software's
    mov rax, 0x7F << 52 | 0x600000 | LARGE | PRESENT | WRITABLE
    mov [DIRECTORY + 8], rax
    invlpg [rbx]
    check dword [rbx], 0xDCBA
    finish
