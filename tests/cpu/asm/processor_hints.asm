; Instructions that change nothing a program can see: prefetches, fences, cache lines, landing pads, what is a NOP without CET
; and MPX; 16-bit PUSHF and POPF; CWD; ADCX
; and ADOX.
;; expect rdx=0xffff
%include "prelude.inc"
    mov ebx, DATA
    prefetch [rbx]
    prefetchw [rbx]
    prefetchwt1 [rbx]
    prefetchnta [rbx]
    prefetcht0 [rbx]
    prefetcht1 [rbx]
    prefetcht2 [rbx]
    prefetcht0 [abs 0]                        ; none of them faults
    mov qword [rbx], 0x1234
    clflush [rbx]
    mfence
    lfence
    sfence
    endbr64
    db 0xF3, 0x0F, 0x1E, 0xFB                 ; ENDBR32
    mov rcx, rbx
    db 0xF3, 0x48, 0x0F, 0x1E, 0xC9           ; RDSSPQ RCX
    db 0xF3, 0x0F, 0x1E, 0xC9                 ; RDSSPD ECX
    keep rcx
    db 0xF3, 0x0F, 0x1B, 0x03                 ; BNDMK BND0, [RBX]
    db 0x66, 0x0F, 0x1A, 0xC1                 ; BNDMOV BND0, BND1
    db 0xF2, 0x0F, 0x1A, 0x04, 0x25, 0, 0, 0, 0  ; BNDCU BND0, [0]
    db 0x0F, 0x1C, 0x03                       ; CLDEMOTE [RBX]
    mov rax, [rbx]
    keep rax
    stc
    pushfw
    pop cx
    and ecx, 0xCFF
    keep rcx
    push word 0x0ED5
    popfw
    keep_flags
    cld
    mov eax, 0xFFFFFFFF
    mov ecx, 2
    stc
    adcx eax, ecx
    adox ecx, eax
    keep rax, rcx
    keep_flags
    mov rax, -1
    adcx rax, [rbx]
    adox rcx, [rbx]
    keep rax, rcx
    keep_flags
    mov eax, 0x8000
    xor edx, edx
    cwd
    keep rdx
    mov eax, 1
    cwd
    xor edx, edx
    mov eax, 0xFFFF
    cwd
    finish
