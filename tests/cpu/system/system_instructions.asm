; System instructions that no other test is about: descriptor tables, LMSW, VERR and VERW, segments with pointers, ports by strings,
; caches, RDPMC, hypercalls, FXSAVE.
;; expect rax=0x600d
%include "prelude.inc"
%include "user.inc"
    sgdt [FREE]
    check word [FREE], 0x4F
    check qword [FREE + 2], GDT
    sidt [FREE]
    check word [FREE], 0xFFF
    check qword [FREE + 2], IDT
    smsw eax
    mov rcx, cr0
    check ax, cx
    ; LMSW sets TS and does not clear PE
    mov ax, 0xA
    lmsw ax
    mov rax, cr0
    and eax, 0xB
    check eax, 0xB
    clts
    mov cr0, rcx
    ; what can be read and written
    mov ax, KERNEL_DS
    verr ax
    check_cc z
    verw ax
    check_cc z
    mov ax, KERNEL_CS
    verr ax
    check_cc z
    verw ax
    check_cc nz
    mov ax, 0x1F8
    verr ax
    check_cc nz
    mov ax, 0x40
    verr ax
    check_cc nz
    ; pointers
    mov dword [FREE], 0x55667788
    mov word [FREE + 4], KERNEL_DS
    lfs eax, [FREE]
    check eax, 0x55667788
    lgs ebx, [FREE]
    check rbx, 0x55667788
    mov rdx, rsp
    mov [FREE], edx
    lss esp, [FREE]
    check rsp, rdx
    xor eax, eax
    mov fs, ax
    mov gs, ax
    ; ports
    mov dword [FREE], 0x44332211
    mov esi, FREE
    mov edi, FREE + 0x100
    mov edx, QUEUE_PORT
    outsd
    insb
    insw
    insb
    check dword [FREE + 0x100], 0x44332211
    mov esi, FREE
    outsb
    outsw
    outsb
    insd
    check dword [FREE + 0x104], 0x44332211
    mov ecx, 2
    mov esi, FREE
    rep outsw
    mov ecx, 4
    rep insb
    check dword [FREE + 0x108], 0x44332211
    user_faults GP, 0, {rep outsw}
    ; caches and counters
    invd
    wbinvd
    user_faults GP, 0, {invd}
    mov ecx, 0x1234
    faults GP, 0, {rdpmc}
    ; hypercalls: one that does not exist
    mov eax, 999
    vmcall
    mov rbx, rax
    mov eax, 999
    vmmcall
    check rax, rbx
    check rax, -1000
    ; the FPU's state
    fninit
    fld1
    mov dword [FREE], 0x1F80
    ldmxcsr [FREE]
    pcmpeqd xmm3, xmm3
    fxsave [FREE + 0x200]
    fxsave64 [FREE + 0x400]
    check word [FREE + 0x200], 0x37F
    check byte [FREE + 0x204], 0x80
    check dword [FREE + 0x218], 0x1F80
    check word [FREE + 0x228], 0x3FFF
    check qword [FREE + 0x400 + 160 + 48], -1
    fninit
    pxor xmm3, xmm3
    fxrstor [FREE + 0x200]
    fstp dword [FREE]
    check dword [FREE], 0x3F800000
    movq rax, xmm3
    check rax, -1
    pxor xmm3, xmm3
    fxrstor64 [FREE + 0x400]
    movq rax, xmm3
    check rax, -1
    faults GP, 0, {fxsave [FREE + 8]}
    mov dword [FREE + 0x218], 0x80000000
    faults GP, 0, {fxrstor [FREE + 0x200]}
    mov rax, cr0
    or eax, 8
    mov cr0, rax
    faults NM, 0, {fxsave [FREE + 0x200]}
    clts
    finish
