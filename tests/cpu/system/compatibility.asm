; 32-bit code in long mode: far transfers in and out, 32-bit stack and addresses, instructions of its own, exceptions.
;; expect rax=0x600d
%include "prelude.inc"
    mov rax, 0xFFFFFFFF00000000 + FREE
    mov rbx, 0x1122334455667788
    mov r8, -1
    mov ecx, KERNEL_DS32
    mov ss, ecx
    mov ds, ecx
    mov es, ecx
    push KERNEL_CS32
    push thirty_two
    retfq
bits 32
thirty_two:
    inc eax                       ; 40h: REX in 64-bit mode
    mov dword [eax], 0x12345678   ; the upper half of RAX is of no account
    push ebx
    pop ecx
    push esp
    pop edx
    sub edx, esp
    pushad
    popad
    call .next
.next:
    pop esi
    les edi, [far_pointer]
    mov ax, es
    cmp ax, KERNEL_DS32
    jne wrong
    cmp edi, 0x1234
    jne wrong
    xor eax, eax
    daa
    aam
    bound eax, [bounds]
    jmp KERNEL_CS:sixty_four
wrong:
    mov eax, 0xBAD32
    out EXIT_PORT, al
bounds: dd -1, 1
far_pointer: dd 0x1234
    dw KERNEL_DS32
bits 64
sixty_four:
    check ecx, 0x55667788
    check edx, 0
    check esi, thirty_two.next
    check r8, -1
    check dword [FREE + 1], 0x12345678

    ; an exception in 32-bit code: a 64-bit frame, its RIP and CS
    mov qword [resume], .caught
    mov [resume_stack], rsp
    push KERNEL_CS32
    push faulty
    retfq
.caught:
    check qword [fault_vector], UD
    check qword [fault_cs], KERNEL_CS32
    check qword [fault_rip], faulty
    finish
bits 32
faulty: ud2
