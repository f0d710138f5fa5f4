; A page is taken away from a processor that writes to it all the time: an interrupt has it drop the mapping, and once that
; is acknowledged nothing is written to the page any more. By INVLPG and by a CR3 write in turns.
;; expect rax=0x600d
;; cpus 2
;; limit_ms 60000
%include "prelude.inc"
%include "threads.inc"
%define ROUNDS 100
%define VECTOR 0x43
%define A (FREE + 0x10000)
%define B (FREE + 0x11000)
%define PLACE (FREE + 0x12000)
    set_gate VECTOR, on_shootdown, 0x8E, 0
    set_pte PLACE, A | PRESENT | WRITABLE
    on_all 2
    finish

thread:
    meet
    test ebx, ebx
    jnz writer
    xor ebp, ebp
    mov esi, A
    mov edi, B
.round:
    mov eax, [rsi]
.until_written:
    pause
    cmp [rsi], eax
    je .until_written
    inc ebp
    lea eax, [rdi + (PRESENT | WRITABLE)]
    mov [PTE(PLACE)], rax
    write_msr APIC_ICR, 1 << 32 | VECTOR
.until_acknowledged:
    pause
    cmp [acknowledged], ebp
    jne .until_acknowledged
    mov eax, [rsi]
    mov ecx, 2000
.watch:
    cmp [rsi], eax
    wrong_if ne
    dec ecx
    jnz .watch
    xchg esi, edi
    cmp ebp, ROUNDS
    jb .round
    mov dword [stop], 1
    ret

writer:
    sti
    mov rbx, PLACE
.write:
    inc dword [rbx]
    cmp dword [stop], 0
    je .write
    cli
    ret

on_shootdown:
    push rax
    push rcx
    push rdx
    test dword [acknowledged], 1
    jz .by_page
    mov rax, cr3
    mov cr3, rax
    jmp .done
.by_page:
    invlpg [PLACE]
.done:
    lock inc dword [acknowledged]
    write_msr APIC_EOI, 0
    pop rdx
    pop rcx
    pop rax
    iretq
align 64
acknowledged: dd 0
align 64
stop: dd 0
