; Calls on one page that only go forward are interrupted: each function calls the next one twice, as long as there is a
; budget.
;; expect rax=0x600d
;; limit_ms 20000
%include "prelude.inc"
%include "apic.inc"
%include "pages_of_code.inc"
%define budget (FREE + 0x10000)            ; on no page of code
%define AT(i) (CALLER + (i) * 20)
    enable_apic
    set_gate 0x40, on_time, 0x8E, 0
    write_msr APIC_DIVIDE, 0xB
    write_msr APIC_TIMER, 0x40
    %assign i 0
    %rep 60
    mov dword [AT(i)], 0x00250CFF          ; DEC DWORD [budget]
    mov dword [AT(i) + 3], budget
    mov dword [AT(i) + 7], 0x06E80A78      ; JS to the RET; CALL +6
    mov dword [AT(i) + 11], 0xE8000000
    mov dword [AT(i) + 15], 1              ; CALL +1
    mov byte [AT(i) + 19], 0xC3
    %assign i i + 1
    %endrep
    mov byte [AT(i)], 0xC3
    mov dword [budget], 200                ; so that every way has been taken
    call CALLER
    mov dword [budget], 0x7FFFFFFF         ; more than there is time for
    mov [stack], rsp
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
