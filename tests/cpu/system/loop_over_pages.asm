; Endless loops whose only branches lead from one page to another are interrupted.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
%include "pages_of_code.inc"
%define budget (FREE + 0x10000)            ; on no page of code
%define AT(page) (CALLER + (page) * 0x1000)
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
    ; calls that go forward, each of them twice the next, as long as there is a budget
    %assign page 0
    %rep 40
    set_pte AT(page), AT(page) | SHARED
    mov dword [AT(page)], 0x00250CFF       ; DEC DWORD [budget]
    mov dword [AT(page) + 3], budget
    mov dword [AT(page) + 7], 0xF2E80A78   ; JS +10, to the RET; CALL +0xFF2
    mov dword [AT(page) + 11], 0xE800000F
    mov dword [AT(page) + 15], 0xFED       ; CALL +0xFED
    mov byte [AT(page) + 19], 0xC3
    %assign page page + 1
    %endrep
    set_pte AT(page), AT(page) | SHARED
    mov byte [AT(page)], 0xC3
    mov dword [budget], 100                ; so that every way has been taken
    call CALLER
    mov dword [budget], 0x7FFFFFFF         ; more than there is time for
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
