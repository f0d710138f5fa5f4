; LAHF, SAHF, STC, CLC, CMC, and flags that survive moves, stores to new pages and calls.
;; expect rflags=CF,PF,AF,ZF,SF
%include "prelude.inc"
    mov ah, 0xD5
    sahf
    keep_flags
    lahf
    keep rax
    cmc
    keep_flags
    stc
    ; flags across memory accesses to pages that nobody touched yet, and across calls
    mov ecx, 7
    mov rbx, DATA
    mov ah, 0xD5
    sahf
.next:
    mov [rbx], cl
    mov dl, [rbx + 1]
    push rcx
    call .nothing
    pop rcx
    lea rbx, [rbx + PAGE]
    lea rcx, [rcx - 1]
    jrcxz .done
    jmp .next
.nothing:
    ret
.done:
    finish
