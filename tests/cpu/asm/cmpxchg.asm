; CMPXCHG, 8B, 16B, XADD and XCHG, with and without LOCK.
;; expect rax=0x4444 rdx=0x0
%include "prelude.inc"
    mov qword [abs DATA], 5
    mov eax, 5
    mov ecx, 6
    lock cmpxchg [abs DATA], ecx
    keep_flags
    lock cmpxchg [abs DATA], ecx      ; fails: EAX is loaded
    keep_flags
    keep rax
    mov rbx, 0xFFFFFFFF00000007
    mov rax, 0xFFFFFFFF00000007
    cmpxchg ebx, ecx
    keep_flags
    keep rax, rbx
    mov rbx, -1
    mov eax, 3
    cmpxchg ebx, ecx                  ; fails
    keep rax
    mov al, 0x12
    mov bh, 0x12
    mov ch, 0x34
    cmpxchg bh, ch
    keep_flags
    keep rbx
    mov qword [abs DATA + 16], 0x1111
    mov qword [abs DATA + 24], 0x2222
    mov eax, 0x1111
    mov edx, 0x2222
    mov ebx, 0x3333
    mov ecx, 0x4444
    lock cmpxchg16b [abs DATA + 16]
    keep_flags
    lock cmpxchg16b [abs DATA + 16]
    keep rax, rdx
    mov eax, 0x3333
    xor edx, edx
    cmpxchg8b [abs DATA + 16]
    keep_flags
    mov r8, -1
    lock xadd [abs DATA + 16], r8
    keep_flags
    keep r8
    mov r9d, 0x77
    xadd r9d, r9d
    keep r9
    xchg [abs DATA + 17], r9w
    keep r9
    mov eax, 0x4444
    xor edx, edx
    finish
