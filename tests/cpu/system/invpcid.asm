; INVPCID: its four types, on the current PCID and on others, and what it refuses.
;; expect rax=0x600d
%include "prelude.inc"
%include "pcid.inc"
%include "user.inc"
    jmp begin
align 16
descriptor: dq 0, 0
%macro describe 2                           ; PCID, address
    mov rax, %1
    mov [descriptor], rax
    mov rax, %2
    mov [descriptor + 8], rax
%endmacro
%macro invalidate 3                         ; type, PCID, address
    describe %2, %3
    mov edx, %1
    invpcid rdx, [descriptor]
%endmacro
%macro refuses 3
    describe %2, %3
    mov rdx, %1
    faults GP, 0, {invpcid rdx, [descriptor]}
%endmacro
; Changes where AT leads in both spaces, in the tables only.
%macro lead 2                               ; in PML4, in OTHER
    mov qword [PTE(AT)], %1 | PRESENT | WRITABLE | USER
    mov qword [OTHER_PTE(AT)], %2 | PRESENT | WRITABLE | USER
%endmacro
begin:
    mov eax, 7
    xor ecx, ecx
    cpuid
    bt ebx, 10
    mov ebx, AT
    jc .there
    describe 0, 0
    xor edx, edx
    faults UD, 0, {invpcid rdx, [descriptor]}
    finish
.there:
    ; without CR4.PCIDE there is PCID 0 only
    refuses 0, 1, 0
    refuses 1, 1, 0
    lead A, B
    invalidate 0, 0, AT
    check dword [rbx], 0xAAAA
    lead B, B
    invalidate 1, 0, 0
    check dword [rbx], 0xBBBB
    lead A, B
    invalidate 3, 1, 0                      ; the rest of the descriptor does not matter, but for its reserved bits
    check dword [rbx], 0xAAAA
    start_pcids

    ; refused: types beyond, reserved bits, an address that is none; at CPL 3; a descriptor that is not there
    refuses 4, 0, 0
    refuses 1 << 32, 0, 0
    refuses 0, 0x1000, 0
    refuses 1, 0x1000, 0
    refuses 2, 0x1000, 0
    refuses 3, 0x1000, 0
    refuses 0, 0, 1 << 47
    invalidate 1, 0, 1 << 47                ; of no meaning there
    xor edx, edx
    user_faults GP, 0, {invpcid rdx, [rbx]}
    mov rcx, 3 << 30
    faults PF, 0, {invpcid rdx, [rcx]}

    ; one address, of the current PCID and of another
    check dword [rbx], 0xAAAA
    lead B, B
    invalidate 0, 0, AT + 0x123
    check dword [rbx], 0xBBBB
    go 1, OTHER | KEEP
    check dword [rbx], 0xBBBB
    lead A, A
    invalidate 0, 0, AT
    go 0, PML4 | KEEP
    check dword [rbx], 0xAAAA
    invalidate 0, 1, AT
    go 1, OTHER | KEEP
    check dword [rbx], 0xAAAA

    ; one PCID
    lead B, B
    invalidate 1, 1, 0
    check dword [rbx], 0xBBBB
    invalidate 1, 0, 0
    go 0, PML4 | KEEP
    check dword [rbx], 0xBBBB

    ; all PCIDs, but global pages are another matter
    lead A, A
    invalidate 3, 0, 0
    check dword [rbx], 0xAAAA
    go 1, OTHER | KEEP
    check dword [rbx], 0xAAAA

    ; everything
    check dword [rbp], 0xAAAA
    lead B, B
    mov qword [PTE(GLOBAL_AT)], B | PRESENT | WRITABLE | GLOBAL
    mov qword [OTHER_PTE(GLOBAL_AT)], B | PRESENT | WRITABLE | GLOBAL
    invalidate 2, 0, 0
    check dword [rbx], 0xBBBB
    check dword [rbp], 0xBBBB
    go 0, PML4 | KEEP
    check dword [rbx], 0xBBBB
    check dword [rbp], 0xBBBB
    finish
