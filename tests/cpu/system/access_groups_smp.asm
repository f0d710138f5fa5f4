; Stores by one base register while another processor takes the page away, or makes code of it: with a store between them that takes
; long, since it is to a page that has code.
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
%define ROUTINE (FREE + 0x13000)
    set_gate VECTOR, on_shootdown, 0x8E, 0
    set_pte PLACE, A | PRESENT | WRITABLE
    mov rax, 0x9090C300000000B8               ; MOV EAX, 0; RET
    mov [ROUTINE], rax
    on_all 2
    finish

thread:
    meet
    test ebx, ebx
    jnz second_thread
    xor ebp, ebp
    mov esi, A
    mov edi, B
.round:
    mov eax, [rsi + 8]
.until_written:
    pause
    cmp [rsi + 8], eax
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
    mov edx, [rsi + 8]
    mov ecx, 2000
.watch:
    cmp [rsi], eax
    wrong_if ne
    cmp [rsi + 8], edx
    wrong_if ne
    dec ecx
    jnz .watch
    xchg esi, edi
    cmp ebp, ROUNDS
    jb .round
    mov dword [stop], 1
    ; what the other one stores is code soon
    mov ebp, 1
    mov ebx, ROUTINE
.routine:
    cmp [round], ebp
    jne .routine
.until_new:
    call rbx
    mov [seen], eax
    cmp eax, ebp
    jne .until_new
    inc ebp
    cmp ebp, ROUNDS
    jbe .routine
    ret

second_thread:
    sti
    mov ebx, PLACE
    mov esi, unrelated - 0x40
    mov edi, 0x40
    xor ecx, ecx
.write:
    inc ecx
    mov [rbx], ecx
    mov [rsi + rdi], ecx
    mov [rbx + 8], ecx
    cmp dword [stop], 0
    je .write
    cli
    mov ebx, ROUTINE
    mov ecx, 1
.next:
    mov byte [rbx + 1], 0xFF                  ; no code of it is left
    mov [round], ecx
    mov [rbx + 64], ecx
    mov [rsi + rdi], ecx
    mov [rbx + 1], cl
.until_seen:
    pause
    cmp [seen], ecx
    jne .until_seen
    inc ecx
    cmp ecx, ROUNDS
    jbe .next
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
unrelated: dd 0
align 64
acknowledged: dd 0
round: dd 0
seen: dd 0
align 64
stop: dd 0
