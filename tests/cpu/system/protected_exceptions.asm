; Exceptions of 32-bit code, their frames, and what segments forbid.
;; expect rax=0x600d
%include "protected.inc"
    xor ecx, ecx
    faults DE, 0, {div ecx}
    faults UD, 0, {ud2}
    mov eax, 5
    faults BR, 0, {bound eax, [bounds]}
    faults GP, 0x20 * 8 + 2, {int 0x20}       ; no gate there

    ; traps: EIP is behind the instruction
    mov dword [resume], .behind
    mov [resume_stack], esp
    int3
.behind:
    check dword [fault_vector], BP
    check dword [fault_eip], .behind
    mov dword [resume], .overflowed
    mov al, 0x7F
    add al, 1
    into
.overflowed:
    check dword [fault_vector], OF_
    check dword [fault_eip], .overflowed
    xor eax, eax
    into                                      ; nothing

    ; the frame, on the same stack
    mov esp, STACK - 5
    stc
    fault_ends {ud2}
    check dword [fault_cs], KERNEL_CS
    mov eax, [fault_eflags]
    and eax, 1
    check eax, 1
    mov esp, STACK

    ; limits
    set_descriptor SPARE, FREE, DATA_ACCESS, 0xFFF, SMALL
    mov ax, SPARE
    mov fs, ax
    mov dword [fs:0xFFC], 0x1234
    check dword [FREE + 0xFFC], 0x1234
    faults GP, 0, {mov eax, [fs:0xFFD]}
    faults GP, 0, {mov al, [fs:0x1000]}
    faults GP, 0, {mov [fs:-1], al}
    ; expand-down: above the limit only
    set_descriptor SPARE, FREE, DATA_ACCESS | 4, 0xFFF, SMALL
    mov fs, ax
    mov al, [fs:0x1000]
    faults GP, 0, {mov al, [fs:0xFFF]}
    set_descriptor SPARE, FREE, DATA_ACCESS | 4, 0xFFF, 0
    mov ax, SPARE
    mov fs, ax
    mov bl, [fs:0xFFFF]
    faults GP, 0, {mov bl, [fs:0x10000]}
    ; read only, execute only
    set_descriptor SPARE, FREE, DATA_ACCESS & ~2, FLAT
    mov fs, ax
    mov bl, [fs:0]
    faults GP, 0, {mov [fs:0], bl}
    set_descriptor SPARE, FREE, CODE_ACCESS & ~2, FLAT
    faults GP, SPARE, {mov fs, ax}
    ; null, absent, out of the table
    xor ebx, ebx
    mov fs, bx
    faults GP, 0, {mov al, [fs:0]}
    faults GP, 0, {mov ss, bx}
    set_descriptor SPARE, FREE, DATA_ACCESS & ~0x80, FLAT
    faults NP, SPARE, {mov fs, ax}
    faults SS_, SPARE, {mov ss, ax}
    mov bx, 0x100
    faults GP, 0x100, {mov fs, bx}
    mov bx, 0x104                             ; of the LDT, which there is not
    faults GP, 0x104, {mov fs, bx}
    ; the stack segment
    set_descriptor SPARE, STACK - 0x1000, DATA_ACCESS, 0xFFF, SMALL
    mov bx, SPARE
    mov ss, bx
    mov esp, 0x800
    mov ebp, 0xFFD
    faults SS_, 0, {mov eax, [ebp]}
    mov ss, bx
    mov esp, 0x800
    faults SS_, 0, {push dword [ss:0xFFE]}
    mov ss, bx
    mov esp, 0x1000
    push eax
    pop eax
    mov ax, KERNEL_DS
    mov ss, ax
    mov esp, STACK
    finish
align 4
bounds: dd -1, 4
