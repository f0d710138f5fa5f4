; What CPUID says and what is there go together; MSRs keep what is written; time goes on.
;; expect rax=0x600d
;; cpu v2
%include "prelude.inc"
    xor eax, eax
    cpuid
    check eax, 0x16
    mov eax, 1
    cpuid
    mov esi, ecx
    and ecx, 1 << 23 | 1 << 20 | 1 << 19 | 1 << 13 | 1 << 9 | 1   ; POPCNT SSE4.2 SSE4.1 CX16 SSSE3 SSE3: x86-64-v2
    check ecx, 1 << 23 | 1 << 20 | 1 << 19 | 1 << 13 | 1 << 9 | 1
    test esi, 1 << 28 | 1 << 12 | 1 << 26 | 1 << 22                ; no AVX FMA XSAVE MOVBE
    check_cc z
    faults UD, 0, {db 0xC5, 0xFC, 0x58, 0xC1}                      ; VADDPS
    faults UD, 0, {xgetbv}
    mov eax, 7
    xor ecx, ecx
    cpuid
    test ebx, 1 << 3 | 1 << 5 | 1 << 8                             ; no BMI1 AVX2 BMI2
    check_cc z
    faults UD, 0, {db 0xC4, 0xE2, 0x78, 0xF3, 0xC8}                ; BLSR
    ; upper halves are cleared, ECX stays an index
    mov rax, -1
    mov rax, 0x1234567800000001
    mov rbx, -1
    cpuid
    mov rdx, rax
    shr rdx, 32
    check edx, 0
    mov eax, 0x80000001
    cpuid
    and edx, 1 << 29 | 1 << 27 | 1 << 20 | 1 << 11                 ; LM RDTSCP NX SYSCALL
    check edx, 1 << 29 | 1 << 27 | 1 << 20 | 1 << 11
    ; MSRs
    mov rbp, 0x0000123456789ABC
    write_msr 0xC0000082, rbp
    read_msr 0xC0000082
    check rax, rbp
    write_msr 0xC0000101, rbp                                      ; GS base
    rdgsbase rax
    check rax, rbp
    write_msr 0xC0000102, FREE
    swapgs
    rdgsbase rax
    check rax, FREE
    read_msr 0xC0000102
    check rax, rbp
    mov rax, 1 << 47
    mov rdx, rax
    shr rdx, 32
    mov ecx, 0xC0000102
    faults GP, 0, {wrmsr}
    write_msr 0xC0000103, 0x42                                     ; TSC_AUX
    rdtscp
    check ecx, 0x42
    ; RDTSC never goes back, and follows a write
    mov ebp, 10000
    xor ebx, ebx
.later:
    rdtsc
    shl rdx, 32
    or rax, rdx
    cmp rax, rbx
    check_cc ae
    mov rbx, rax
    dec ebp
    jnz .later
    finish
