; Instructions that lie on two pages: of every kind, faults of them, and a second page that is changed, mapped otherwise or
; taken away.
;; expect rax=0x600d
%include "prelude.inc"
%define PAGE (FREE + 0x20000)
; A page's successor, and another page for its place
%define NEXT (PAGE + 0x1000)
%define OTHER (PAGE + 0x2000)
%define DATA (PAGE + 0x8000)
%define ROUNDS 300

; place BYTES IN THE FIRST PAGE, LABEL, LABEL OF THE END: copies code there; RBX is where it starts
%macro place 3
    mov esi, %2
    mov edi, NEXT - (%1)
    mov ecx, %3 - %2
    rep movsb
    mov ebx, NEXT - (%1)
%endmacro

    ; JA back and on, again and again
    place 5, .count, .count_end            ; INC EAX, CMP: the branch has its first byte here
    mov ebp, ROUNDS
.branches:
    xor eax, eax
    mov ecx, ebp
    call rbx
    check eax, ebp
    dec ebp
    jnz .branches

    ; memory operands, with flags that live on; a PUSH and a POP; arithmetic with an immediate
    mov ebp, ROUNDS
    place 3, .load, .load_end
.loads:
    mov [DATA], ebp
    stc
    call rbx
    check_cc c
    check eax, ebp
    dec ebp
    jnz .loads
    place 2, .push, .push_end
    call rbx
    check rax, 0x12345678
    place 3, .store, .store_end
    call rbx
    check dword [DATA + 4], 0x11223344

    ; CALL, whose return comes to the second page; an indirect one; RET imm16
    place 3, .call, .call_end
    mov dword [DATA], 0xC3C0FF              ; INC EAX; RET
    mov ebp, ROUNDS
.calls:
    mov eax, ebp
    call rbx
    lea edx, [rbp + 2]
    check eax, edx
    dec ebp
    jnz .calls
    place 1, .indirect, .indirect_end
    mov edx, DATA
    mov eax, 6
    call rbx
    check eax, 8
    place 1, .far_return, .far_return_end
    push 1
    push 2
    call rbx
    pop rax
    check rax, 1

    ; what the interpreter does: a string, a system register, PUSHF
    place 1, .string, .string_end
    mov edi, DATA + 0x100
    mov ecx, 100
    mov al, 0x5A
    call rbx
    check byte [DATA + 0x163], 0x5A
    check byte [DATA + 0x164], 0
    place 2, .cr3, .cr3_end
    call rbx
    check rax, PML4

    ; a fault of its operand is at its first byte
    set_pte DATA, 0
    place 3, .load, .load_end
    mov qword [resume], .after
    mov [resume_stack], rsp
    call rbx
    fail
.after:
    check qword [fault_vector], PF
    check qword [fault_rip], rbx
    set_pte DATA, DATA | PRESENT | WRITABLE

    ; the end changes: by a write, by another mapping
    place 2, .immediate, .immediate_end
    mov ebp, ROUNDS
.immediates:
    mov [NEXT], bp
    call rbx
    mov edx, ebp
    shl edx, 8
    or edx, 0x44000011
    check eax, edx
    dec ebp
    jnz .immediates
    mov dword [OTHER], 0xC3665577           ; an end of its own, and RET
    set_pte NEXT, OTHER | PRESENT | WRITABLE
    call rbx
    check eax, 0x66557711
    set_pte NEXT, NEXT | PRESENT | WRITABLE
    call rbx
    check eax, 0x44000111

    ; taken away: the fetch faults in the second page, the instruction being at its first byte
    set_pte NEXT, 0
    mov qword [resume], .gone
    mov [resume_stack], rsp
    call rbx
    fail
.gone:
    check qword [fault_vector], PF
    check qword [fault_rip], rbx
    mov rax, cr2
    check rax, NEXT
    set_pte NEXT, NEXT | PRESENT | WRITABLE
    call rbx
    check eax, 0x44000111

    ; the first page leads elsewhere: the same physical first page, at an address before another second one
    set_pte OTHER + 0x4000, PAGE | PRESENT | WRITABLE
    set_pte OTHER + 0x5000, OTHER | PRESENT | WRITABLE
    mov edx, OTHER + 0x5000 - 2
    mov ebp, ROUNDS
.alias:
    call rdx
    check eax, 0x66557711
    call rbx
    check eax, 0x44000111
    dec ebp
    jnz .alias
    finish

align 16
.count:
    inc eax
    cmp ecx, eax
    db 0x77, .count - .count_back           ; JA .count
.count_back:
    ret
.count_end:
.load:
    mov eax, [DATA]
    ret
.load_end:
.push:
    push 0x12345678
    pop rax
    ret
.push_end:
.store:
    mov dword [DATA + 4], 0x11223344
    ret
.store_end:
.call:
    inc eax
    db 0xE8
    dd DATA - (NEXT - 3 + 7)                ; CALL DATA
    ret
.call_end:
.indirect:
    call rdx
    inc eax
    ret
.indirect_end:
.far_return:
    ret 8
.far_return_end:
.string:
    rep stosb
    ret
.string_end:
.cr3:
    mov rax, cr3
    ret
.cr3_end:
.immediate:
    mov eax, 0x44332211
    ret
.immediate_end:
