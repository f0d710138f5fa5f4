; Every condition of SETcc, CMOVcc and Jcc, each over flags that make it hold and flags that do not; LOOPE, LOOPNE.
;; expect rax=0x0
%include "prelude.inc"
; condition CC: by all flags of a table; bits of RBX, RCX and RDX say where it held
%macro condition 1
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    mov esi, flags
%%next:
    push qword [rsi]
    popfq
    set%1 bl
    cmov%1 ecx, r8d
    j%1 %%holds
    lea edx, [rdx + 1]
%%holds:
    lea edx, [rdx + rdx]
    lea rbx, [rbx + rbx]
    set%1 [abs DATA]
    ror rbx, 8
    lea rcx, [rcx + rcx]
    add esi, 8
    cmp esi, flags_end
    jne %%next
    keep rbx, rcx, rdx
%endmacro
    mov r8d, 0x1001
    condition o
    condition no
    condition b
    condition nb
    condition z
    condition nz
    condition be
    condition nbe
    condition s
    condition ns
    condition p
    condition np
    condition l
    condition nl
    condition le
    condition nle
    ; repeated as long as two strings are alike, and unlike
    mov ecx, 5
    mov esi, flags
.alike:
    add esi, 8
    test dword [rsi], 1
    loope .alike
    keep rcx, rsi
    mov ecx, 5
.unlike:
    sub esi, 8
    test dword [rsi], 0x40
    loopne .unlike
    keep rcx, rsi
    xor eax, eax
    finish
align 8
flags: dq 0x202, 0x203, 0x206, 0x242, 0x282, 0xA02, 0xA82, 0x243, 0xAC2, 0xAD7
flags_end:
