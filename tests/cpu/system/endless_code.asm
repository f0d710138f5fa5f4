; Code that goes on for ever is interrupted: loops whose only branches lead from one page to another, and calls that only go
; forward, over pages and on one, each of them twice the next.
;; expect rax=0x600d
%include "prelude.inc"
%include "apic.inc"
%include "pages_of_code.inc"
%define budget (FREE + 0x10000)            ; on no page of code
%define PAGES 41                           ; of code, from CALLER on

; runs_until_time {INSTRUCTION}: it does not come back by itself.
%macro runs_until_time 1
    mov qword [back], %%interrupted
    mov [stack], rsp
    write_msr APIC_INITIAL, 1000000
    stc
    sti
    %1
    fail
%%interrupted:
%endmacro

; doubling_calls DISTANCE, COUNT: so many functions from CALLER on, at such distances. Each calls the next one twice, as long as
; there is a budget. All of the ways between them have been taken once.
%macro doubling_calls 2
    mov rdi, CALLER
    mov ecx, %2
%%function:
    mov dword [rdi], 0x250CFF48            ; DEC QWORD [budget]
    mov dword [rdi + 4], budget
    mov dword [rdi + 8], 0xE80A78 | ((%1 - 15) & 0xFF) << 24      ; JS +10, to the RET; CALL
    mov dword [rdi + 12], 0xE8000000 | ((%1 - 15) >> 8)           ; CALL
    mov dword [rdi + 16], %1 - 20
    mov byte [rdi + 20], 0xC3
    add rdi, %1
    dec ecx
    jnz %%function
    mov byte [rdi], 0xC3
    mov qword [budget], 200
    call CALLER
    mov rax, 1 << 62                       ; more than there is time for
    mov [budget], rax
%endmacro

    mov rax, cr4
    or eax, 0x80
    mov cr4, rax
    %assign page 0
    %rep PAGES
    set_pte CALLER + page * 0x1000, (CALLER + page * 0x1000) | SHARED
    %assign page page + 1
    %endrep
    enable_apic
    set_gate 0x40, on_time, 0x8E, 0
    write_msr APIC_DIVIDE, 0xB
    write_msr APIC_TIMER, 0x40

    code_at CALLER, 0x00000FFBE9           ; JMP +0xFFB
    code_at AFTER, 0xFFFFEFFBE9            ; JMP -0x1005
    runs_until_time {jmp CALLER}
    code_at AFTER, 0xFFFFEFFA820F          ; JC -0x1006
    runs_until_time {jmp CALLER}
    doubling_calls 0x1000, PAGES - 1
    runs_until_time {call CALLER}
    doubling_calls 32, 60
    runs_until_time {call CALLER}
    finish

on_time:
    write_msr APIC_EOI, 0
    mov rsp, [stack]
    jmp [back]
align 8
back: dq 0
stack: dq 0
