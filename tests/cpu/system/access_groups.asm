; Memory accesses by one base register, next to each other: on one page, on two, on a missing one. Each has to do what it does
; alone, whatever is found out about them together.
;; expect rax=0x600d
%include "prelude.inc"
%define LOW (FREE + 0x20000)
%define HIGH (LOW + 0x1000)
%define LOW_FRAME (FREE + 0x31000)   ; the other way round than the pages
%define HIGH_FRAME (FREE + 0x30000)
    set_gate PF, map_page, 0x8E, 1

; Both pages there, by a register and by RSP; `flags` or `none` are needed behind the accesses.
%macro flags_on 1
  %ifidn %1, flags
    stc
  %endif
%endmacro
%macro flags_off 1
  %ifidn %1, flags
    check_cc c
  %endif
%endmacro
%macro pages_there 0
    set_pte LOW, LOW_FRAME | PRESENT | WRITABLE
    set_pte HIGH, HIGH_FRAME | PRESENT | WRITABLE
%endmacro
%macro clear 0
    mov edi, HIGH_FRAME
    mov ecx, 0x2000 / 8
    xor eax, eax
    rep stosq
%endmacro
; values REG...: 0x101, 0x102 and so on
%macro values 1-*
  %assign i 0x101
  %rep %0
    mov %1, i
    %assign i i + 1
    %rotate 1
  %endrep
%endmacro
; stack_at ADDRESS: with the look-up for the stack at the page of LOW or of HIGH before
%macro stack_at 2
    mov rbp, rsp
    mov rsp, %2 + 0x800
    push rax
    pop rax
    mov rsp, %1
%endmacro

%macro on_two_pages 1
    clear
    pages_there
    values rax, rcx, rdx, rsi
    mov rbx, HIGH - 16
    flags_on %1
    mov [rbx], rax
    mov [rbx + 8], rcx
    mov [rbx + 16], rdx
    mov [rbx + 24], rsi
    mov r8, [rbx + 24]
    mov r10, [rbx + 16]
    mov r9, [rbx + 8]
    mov r12, [rbx]
    flags_off %1
    check qword [LOW_FRAME + 0xFF0], 0x101
    check qword [LOW_FRAME + 0xFF8], 0x102
    check qword [HIGH_FRAME], 0x103
    check qword [HIGH_FRAME + 8], 0x104
    check r12, 0x101
    check r9, 0x102
    check r10, 0x103
    check r8, 0x104
    ; one access on both
    values rax, rcx
    mov rbx, HIGH - 12
    flags_on %1
    mov [rbx], rax
    mov [rbx + 8], rcx
    mov rdx, [rbx + 8]
    mov rsi, [rbx]
    flags_off %1
    check dword [LOW_FRAME + 0xFFC], 0x102
    check dword [HIGH_FRAME], 0
    check rdx, 0x102
    check rsi, 0x101
  %assign way 0
  %rep 2
    clear
    values rax, rcx, rdx, rsi
    stack_at HIGH + 16, LOW + 0x1000 * way
    flags_on %1
    push rax
    push rcx
    push rdx
    push rsi
    flags_off %1
    mov r9, rsp
    stack_at HIGH - 16, LOW + 0x1000 * way
    flags_on %1
    pop r8
    pop r10
    pop rdi
    pop rbx
    flags_off %1
    xchg rbp, rsp
    check r9, HIGH - 16
    check rbp, HIGH + 16
    check rbx, 0x101
    check rdi, 0x102
    check r10, 0x103
    check r8, 0x104
    check qword [HIGH_FRAME + 8], 0x101
    check qword [HIGH_FRAME], 0x102
    check qword [LOW_FRAME + 0xFF8], 0x103
    check qword [LOW_FRAME + 0xFF0], 0x104
    %assign way way + 1
  %endrep
%endmacro
    on_two_pages none
    on_two_pages flags

; faulted COUNT, RIP, ERROR, ADDRESS
%macro faulted 4
    check qword [count], %1
    check qword [at_rip], %2
    check qword [at_error], %3
    check qword [at_address], %4
    mov qword [count], 0
%endmacro

; The second page is missing: the first accesses have been done when the fault comes, and the others are done behind it.
%macro on_missing_page 1
    clear
    pages_there
    set_pte LOW, 0
    values rax, rcx, rdx, rsi
    stack_at HIGH + 16, HIGH
    flags_on %1
    push rax
    push rcx
%%push:
    push rdx
    push rsi
    flags_off %1
    xchg rbp, rsp
    check rbp, HIGH - 16
    faulted 1, %%push, 2, HIGH - 8
    check qword [at_rsp], HIGH
    check qword [at_first], 0x101        ; as the handler has found them
    check qword [at_second], 0x102
    check qword [LOW_FRAME + 0xFF8], 0x103
    check qword [LOW_FRAME + 0xFF0], 0x104
    ; a frame of locals
    set_pte LOW, 0
    values rax, rcx, rdx, rsi
    stack_at HIGH + 16, HIGH
    push rcx
    flags_on %1
    push rax
    lea rsp, [rsp - 24]
    mov [rsp + 24], rdx
%%local:
    mov [rsp + 16], rsi
    mov [rsp], rcx
    flags_off %1
    xchg rbp, rsp
    check rbp, HIGH - 24
    faulted 1, %%local, 2, HIGH - 8
    check qword [at_rsp], HIGH - 24
    check qword [HIGH_FRAME], 0x103
    check qword [LOW_FRAME + 0xFF8], 0x104
    check qword [LOW_FRAME + 0xFE8], 0x102
    ; reads
    mov qword [HIGH_FRAME], 0x105
    mov qword [HIGH_FRAME + 8], 0x106
    set_pte HIGH, 0
    stack_at HIGH - 8, LOW
    xor eax, eax
    xor ecx, ecx
    flags_on %1
    pop rdx
%%pop:
    pop rax
    pop rcx
    flags_off %1
    xchg rbp, rsp
    check rbp, HIGH + 16
    faulted 1, %%pop, 0, HIGH
    check qword [at_rsp], HIGH
    check rdx, 0x104
    check rax, 0x105
    check rcx, 0x106
    set_pte HIGH, 0
    mov rbx, HIGH - 24
    flags_on %1
    mov rax, [rbx]
    mov rcx, [rbx + 16]
%%read:
    mov rdx, [rbx + 24]
    mov rsi, [rbx + 32]
    flags_off %1
    faulted 1, %%read, 0, HIGH
    check rax, 0x102
    check rcx, 0x104
    check rdx, 0x105
    check rsi, 0x106
    ; the other way round: the one that comes first
    set_pte HIGH, 0
    mov rbx, HIGH - 8
    flags_on %1
%%first:
    mov rdx, [rbx + 8]
    mov rsi, [rbx]
    flags_off %1
    faulted 1, %%first, 0, HIGH
    check rdx, 0x105
    check rsi, 0x104
%endmacro
    on_missing_page none
    on_missing_page flags

; RSP that is not aligned: on one page, and on two
%macro misaligned 1
    clear
    pages_there
    values rax, rcx, rdx
    stack_at HIGH + 0x103, HIGH
    flags_on %1
    push rax
    push rcx
    push rdx
    pop rsi
    pop rdi
    flags_off %1
    xchg rbp, rsp
    check rbp, HIGH + 0xFB
    check qword [HIGH_FRAME + 0xFB], 0x101
    check qword [HIGH_FRAME + 0xF3], 0x102
    check rsi, 0x103
    check rdi, 0x102
    set_pte LOW, 0
    values rax, rcx, rdx
    stack_at HIGH + 12, HIGH
    flags_on %1
    push rax
%%push:
    push rcx
    push rdx
    flags_off %1
    pop rsi
    pop rdi
    xchg rbp, rsp
    check rbp, HIGH + 4
    faulted 1, %%push, 2, HIGH - 4
    check qword [at_rsp], HIGH + 4
    check qword [HIGH_FRAME + 4], 0x101
    check dword [LOW_FRAME + 0xFFC], 0x102
    check rsi, 0x103
    check rdi, 0x102
%endmacro
    misaligned none
    misaligned flags

    ; read-only: reads go on, the first write faults
    pages_there
    mov qword [LOW_FRAME], 0x201
    mov qword [LOW_FRAME + 16], 0x202
    set_pte LOW, LOW_FRAME | PRESENT
    mov rbx, LOW
    mov rax, [rbx]
.read_only:
    mov [rbx + 8], rax
    mov rcx, [rbx + 16]
    mov [rbx + 24], rcx
    add rcx, [rbx + 8]
    faulted 1, .read_only, 3, LOW + 8
    check qword [LOW_FRAME + 8], 0x201
    check qword [LOW_FRAME + 24], 0x202
    check rcx, 0x403

    ; INVLPG, and a write of CR3, in between
    mov qword [HIGH_FRAME + 8], 0x301
    mov qword [HIGH_FRAME + 16], 0x302
    mov qword [LOW_FRAME + 16], 0x303
    pages_there
    mov rbx, LOW
    mov rdx, HIGH_FRAME | PRESENT | WRITABLE
    mov rax, [rbx]
    mov [PTE(LOW)], rdx
    invlpg [rbx]
    mov rcx, [rbx + 8]
    mov [rbx + 24], rcx
    mov rdx, LOW_FRAME | PRESENT | WRITABLE
    mov rsi, [rbx + 16]
    mov [PTE(LOW)], rdx
    mov rdx, cr3
    mov cr3, rdx
    mov rdi, [rbx + 16]
    mov [rbx + 32], rdi
    check rax, 0x201
    check rcx, 0x301
    check rsi, 0x302
    check rdi, 0x303
    check qword [HIGH_FRAME + 24], 0x301
    check qword [LOW_FRAME + 32], 0x303
    ; the page's own table is the page: more rights are seen without
    mov rbx, PTE(LOW) & ~0xFFF
    mov rdx, HIGH_FRAME | PRESENT | WRITABLE
    mov qword [rbx + ((LOW >> 12) & 511) * 8], 0
    invlpg [LOW]
    mov rax, [rbx + ((LOW >> 12) & 511) * 8 + 8]
    mov [rbx + ((LOW >> 12) & 511) * 8], rdx
    mov rcx, [rbx + ((LOW >> 12) & 511) * 8]
    mov rsi, [LOW + 8]
    check rcx, HIGH_FRAME | PRESENT | WRITABLE
    check rsi, 0x301

    ; displacements as far apart as there are
    pages_there
    mov rbx, LOW
    mov qword [fault_count], 0
    set_gate PF, stubs + 16 * PF, 0x8E, 1
%macro far 4  ; first, second, vector's error, displacement of the fault
    mov [resume_stack], rsp
    mov qword [resume], %%after
    %1
%%at:
    %2
    fail
%%after:
    check qword [fault_vector], PF
    check qword [fault_error], %3
    check qword [fault_rip], %%at
    mov rax, LOW + (%4)
    check [fault_cr2], rax
%endmacro
    far {mov rax, [rbx]}, {mov rcx, [rbx - 0x80000000]}, 0, -0x80000000
    far {mov rax, [rbx]}, {mov rcx, [rbx + 0x7FFFFFFC]}, 0, 0x7FFFFFFC
    far {mov [rbx], rax}, {mov [rbx - 0x80000000], rcx}, 2, -0x80000000
    far {mov [rbx], rax}, {mov [rbx + 0x7FFFFFFC], rcx}, 2, 0x7FFFFFFC
    far {mov [rbx + 8], rax}, {mov [rbx - 0x7FFFFFFF], rcx}, 2, -0x7FFFFFFF
    finish

; Notes the fault and what is on the stack, and has the page there and writable.
align 8
count: dq 0
at_rip: dq 0
at_error: dq 0
at_address: dq 0
at_rsp: dq 0
at_first: dq 0
at_second: dq 0
map_page:
    push rax
    push rdx
    mov rax, [rsp + 16]
    mov [at_error], rax
    mov rax, [rsp + 24]
    mov [at_rip], rax
    mov rax, [rsp + 48]
    mov [at_rsp], rax
    mov rax, [HIGH_FRAME + 8]
    mov [at_first], rax
    mov rax, [HIGH_FRAME]
    mov [at_second], rax
    inc qword [count]
    mov rax, cr2
    mov [at_address], rax
    mov edx, HIGH_FRAME | PRESENT | WRITABLE
    cmp rax, HIGH
    jae .high
    mov edx, LOW_FRAME | PRESENT | WRITABLE
.high:
    shr rax, 12
    mov [0x13000 + rax * 8], rdx
    mov rax, cr2
    invlpg [rax]
    pop rdx
    pop rax
    add rsp, 8
    iretq
