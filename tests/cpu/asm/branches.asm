; All conditions, taken and not; loops; calls, direct and indirect; returns that pop; a jump table.
;; expect rax=0x10 rbx=0x6 rcx=0x0
%include "prelude.inc"
    ; each condition as a bit, for each combination of flags that CMP makes
%macro conditions 2
    mov eax, %1
    cmp eax, %2
    mov r8d, 0
  %assign condition 0
  %rep 16
    db 0x70 + condition, 2         ; Jcc over
    jmp short %%not %+ condition
    bts r8d, condition
    cmp eax, %2
%%not %+ condition:
    %assign condition condition + 1
  %endrep
    keep r8
%endmacro
    conditions 1, 2
    conditions 2, 1
    conditions 0x80000000, 1
    conditions 1, 0x80000000
    conditions 5, 5
    xor ebx, ebx
    mov ecx, 3
.loop:
    inc ebx
    loop .loop
    mov ecx, 5
    cmp ecx, ecx
.loopne:
    inc ebx
    loopne .loopne                 ; ZF is clear by now, but on the last round
    keep rcx
    xor ecx, ecx
    jrcxz .zero
    ud2
.zero:
    mov rcx, 1 << 32
    jecxz .zero32
    ud2
.zero32:
    xor ecx, ecx
    mov ebx, 4
    call .routine
    lea rdx, [.routine]
    call rdx
    mov [abs DATA], rdx
    mov rdx, rsp
    push 1
    push 2
    call .pops
    sub rdx, rsp
    keep rdx
    lea rdx, [.table]
    movsxd r9, dword [rdx + 4]
    add rdx, r9
    jmp rdx
.routine:
    inc ebx
    ret
.pops:
    ret 16
.first:
    ud2
.second:
    mov eax, 16
    finish
.table:
    dd .first - .table, .second - .table
