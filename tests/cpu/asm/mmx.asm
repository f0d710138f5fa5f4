; MMX, which shares its registers with the x87 stack.
;; expect ftw=0x0
%include "prelude.inc"
    fldpi
    mov rax, 0x0102030405060708
    movq mm0, rax
    fnstenv [abs DATA + 0x100]
    mov ax, [abs DATA + 0x108]          ; all tags valid
    mov bx, [abs DATA + 0x104]          ; TOP 0
    xor ecx, ecx
    xchg [abs DATA + 0x110], rcx        ; what names addresses
    xor ecx, ecx
    mov [abs DATA + 0x10C], rcx
    mov [abs DATA + 0x114], ecx
    mov [abs DATA + 0x118], cx          ; the word behind is all ones
    fldcw [abs DATA + 0x100]
    keep rax, rbx
    paddb mm0, mm0
    pmaddwd mm0, mm0
    movq mm1, mm0
    punpckhbw mm1, mm0
    pshufw mm2, mm1, 0x1B
    psrlq mm2, 5
    movq [abs DATA], mm2
    movq2dq xmm0, mm2
    mov edi, DATA + 0x40
    maskmovq mm1, mm2
    emms
    finish
