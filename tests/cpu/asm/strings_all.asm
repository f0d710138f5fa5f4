; String instructions of every width, alone and repeated, both ways.
;; expect rdi=0x10200004
%include "prelude.inc"
    mov rax, 0x1122334455667788
    mov edi, DATA
    stosb
    stosw
    stosd
    stosq
    mov ecx, 5
    rep stosw
    mov ecx, 3
    rep stosq
    keep rdi, rcx
    mov esi, DATA
    mov edi, DATA + 0x100
    movsb
    movsw
    movsd
    movsq
    mov ecx, 4
    rep movsw
    keep rsi, rdi
    mov esi, DATA
    lodsb
    keep rax
    lodsw
    keep rax
    lodsd
    keep rax
    lodsq
    keep rax
    mov esi, DATA
    mov edi, DATA + 0x100
    cmpsb
    keep_flags
    cmpsw
    keep_flags
    cmpsd
    keep_flags
    cmpsq
    keep_flags
    mov ecx, 10
    repe cmpsw
    keep_flags
    keep rcx, rsi, rdi
    mov ecx, 3
    mov byte [rdi + 8], 0x99
    repe cmpsq
    keep rcx, rsi, rdi
    mov edi, DATA
    mov al, 0x88
    scasb
    keep_flags
    scasw
    keep_flags
    scasd
    keep_flags
    scasq
    keep_flags
    mov ecx, 40
    mov ax, 0x1122
    repne scasw
    keep rcx, rdi
    mov ecx, 40
    repne scasd
    keep rcx, rdi
    mov ecx, 4
    repne scasq
    keep rcx, rdi
    std
    mov esi, DATA + 0x20
    mov edi, DATA + 0x48
    mov ecx, 5
    rep movsq
    mov edi, DATA + 0x10
    mov ecx, 3
    rep stosd
    keep rsi, rdi
    cld
    finish
