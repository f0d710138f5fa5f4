; PCMPxSTRx with operands in memory whose address is in RCX, which they write.
;; expect rcx=0x4
%include "prelude.inc"
    mov rax, 0x4746454443424100
    mov [abs DATA + 32], rax
    mov rax, 0x0000000045000000
    movq xmm1, rax
    mov ecx, DATA + 1
    mov eax, 3
    mov edx, 5
    pcmpestri xmm1, [rcx + 31], 0
    keep_flags
    keep rcx
    mov ecx, DATA + 33
    pcmpistri xmm1, [rcx], 0x40
    keep_flags
    keep rcx
    mov ecx, DATA + 33
    pcmpistrm xmm1, [rcx], 0x18
    keep rcx
    pcmpestrm xmm1, xmm0, 0x44
    crc32 rcx, qword [abs DATA + 32]
    keep rcx
    mov ecx, 4
    finish
