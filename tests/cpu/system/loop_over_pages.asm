; Endless loops whose only branches lead from one page to another are interrupted.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
%include "pages_of_code.inc"
    mov rax, cr4
    or eax, 0x80
    mov cr4, rax
    set_pte CALLER, CALLER | SHARED
    set_pte AFTER, AFTER | SHARED
    enable_apic
    set_gate 0x40, on_time, 0x8E, 0
    write_msr APIC_DIVIDE, 0xB
    write_msr APIC_TIMER, 0x40

    ; forth by JMP, back by JMP
    code_at CALLER, 0x00000FFBE9           ; JMP +0xFFB
    code_at AFTER, 0xFFFFEFFBE9            ; JMP -0x1005
    mov qword [back], .by_branch
    write_msr APIC_INITIAL, 1000000
    mov [stack], rsp
    sti
    jmp CALLER
.by_branch:
    ; back by a branch
    code_at AFTER, 0xFFFFEFFA820F          ; JC -0x1006
    mov qword [back], .by_calls
    write_msr APIC_INITIAL, 1000000
    stc
    sti
    jmp CALLER
.by_calls:
    ; calls that go forward, each of them twice the next: some 2^40 of them
    %assign page 0
    %rep 40
    set_pte CALLER + page * 0x1000, (CALLER + page * 0x1000) | SHARED
    mov byte [CALLER + page * 0x1000], 0xE8
    mov dword [CALLER + page * 0x1000 + 1], 0xFFB
    mov byte [CALLER + page * 0x1000 + 5], 0xE8
    mov dword [CALLER + page * 0x1000 + 6], 0xFF6
    mov byte [CALLER + page * 0x1000 + 10], 0xC3
    %assign page page + 1
    %endrep
    set_pte CALLER + page * 0x1000, (CALLER + page * 0x1000) | SHARED
    mov byte [CALLER + page * 0x1000], 0xC3
    mov qword [back], .done
    write_msr APIC_INITIAL, 1000000
    sti
    call CALLER
    fail
.done:
    finish

on_time:
    write_msr APIC_EOI, 0
    mov rsp, [stack]
    jmp [back]
align 8
back: dq 0
stack: dq 0
