; Supervisor code and user pages: SMEP, SMAP and AC.
;; expect rax=0x600d
%include "prelude.inc"
%define PAGE (FREE + 0x5000)
    set_pte PAGE, PAGE | PRESENT | WRITABLE | USER
    mov rbx, PAGE
    mov byte [rbx], 0xC3
    call rbx                    ; neither is on
    mov rax, cr4
    or eax, 1 << 20             ; SMEP
    mov cr4, rax
    fault_ends {call rbx}
    check qword [fault_vector], PF
    check qword [fault_error], 0x11
    mov al, [rbx]               ; reading is not fetching
    mov rax, cr4
    or eax, 1 << 21             ; SMAP
    mov cr4, rax
    faults PF, 1, {mov al, [rbx]}
    faults PF, 3, {mov [rbx], al}
    stac
    mov al, [rbx]
    mov [rbx], al
    clac
    faults PF, 1, {mov al, [rbx]}
    fault_ends {call rbx}       ; AC is not for fetches
    check qword [fault_error], 0x11
    ; a fault in the kernel while AC is set: the handler runs with AC as it was, the frame has it
    stac
    faults PF, 0, {mov al, [1 << 30]}
    mov rax, [fault_rflags]
    and eax, 1 << 18
    check eax, 1 << 18
    mov rax, cr4
    and eax, ~(3 << 20)
    mov cr4, rax
    call rbx
    finish
