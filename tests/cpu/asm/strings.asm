; String instructions, forwards and backwards, repeated, over pages, overlapping.
;; expect rcx=0x0 rdi=0x10203ffd
;; mem 0x10203ffe: 5a 5a 5a 5a
%include "prelude.inc"
    mov edi, DATA + 0x100
    mov eax, 0x04030201
    mov ecx, 8
    rep stosd
    keep rdi, rcx
    mov esi, DATA + 0x100
    mov edi, DATA + 0x101
    mov ecx, 20
    rep movsb                      ; overlapping: one byte spreads
    keep rsi, rdi
    mov esi, DATA + 0x100
    mov edi, DATA + 0x110
    mov ecx, 100
    repe cmpsb
    keep_flags
    keep rsi, rdi, rcx
    mov edi, DATA + 0x100
    mov al, 4
    mov ecx, 100
    repne scasb
    keep_flags
    keep rdi, rcx
    xor ecx, ecx
    cmp ecx, ecx
    repne scasb                    ; none: flags stay
    keep_flags
    keep rdi
    mov rax, -1
    lodsb
    lodsw
    keep rax
    lodsd
    keep rax
    lodsq
    keep rax, rsi
    std
    mov edi, DATA + 0x4001
    mov al, 0x5A
    mov ecx, 4
    rep stosb
    cld
    finish
