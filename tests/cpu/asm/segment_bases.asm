; FS and GS: bases that a program sets itself.
;; expect rax=0x1234 rbx=0x10200100 rcx=0x5678
%include "prelude.inc"
    mov dword [abs DATA + 0x108], 0x1234
    mov dword [abs DATA + 0x208], 0x5678
    mov ebx, DATA + 0x100
    wrfsbase rbx
    mov ecx, DATA + 0x200
    wrgsbase rcx
    mov eax, [fs:8]
    mov esi, 8
    mov ecx, [gs:rsi]
    rdfsbase rbx
    lea rdi, [fs:rsi]                ; LEA does not add it
    keep rdi
    mov edi, DATA + 0x300
    fs movsb                         ; the source alone
    keep rsi
    finish
