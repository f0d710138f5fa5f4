; REP STOS and REP MOVS in the pieces that a translator may do at once, and in those that it may not: nothing, one page in
; full, one byte more, over the end of a page, backwards, overlapping both ways, all sizes. Each piece runs twice, first where
; nothing is known of the page, then where it has just been used. The flags stay.
;; expect rcx=0x0
%include "prelude.inc"
%macro fill 3  ; instruction, offset, count
  %rep 2
    mov edi, DATA + %2
    mov ecx, %3
    cmp ecx, 3                     ; some flags
    rep %1
    keep_flags
    keep rdi, rcx
  %endrep
%endmacro
%macro copy 4  ; instruction, from, to, count
  %rep 2
    mov esi, DATA + %2
    mov edi, DATA + %3
    mov ecx, %4
    cmp ecx, 3
    rep %1
    keep_flags
    keep rsi, rdi, rcx
  %endrep
%endmacro
    mov rax, 0x8877665544332211
    fill stosb, 0x1000, 0
    fill stosb, 0x1000, 1
    fill stosq, 0x1000, 2
    fill stosd, 0x1010, 3
    fill stosw, 0x1021, 5          ; misaligned
    fill stosq, 0x2000, 512        ; a page
    mov rax, 0x0102030405060708
    fill stosb, 0x3000, 4096
    fill stosb, 0x4001, 4096       ; over the end
    fill stosq, 0x5FFC, 1
    fill stosw, 0x5FFE, 1          ; just fits
    fill stosd, 0x6FFD, 2
    copy movsb, 0x1000, 0x1100, 0
    copy movsb, 0x1000, 0x1100, 21
    copy movsq, 0x1001, 0x1203, 6
    copy movsb, 0x1100, 0x1101, 20 ; one byte spreads
    copy movsq, 0x1108, 0x1100, 8  ; downwards
    copy movsw, 0x2FFA, 0x7000, 5  ; the source goes over the end
    copy movsd, 0x2000, 0x4FF8, 4  ; the target does
    copy movsq, 0x2000, 0xA000, 512
    copy movsb, 0x2000, 0xB000, 4097
    std
    fill stosq, 0x1F00, 3
    copy movsb, 0x1008, 0x1F80, 9
    cld
    ; All of it, by one number.
    xor edx, edx
    mov esi, DATA + 0x1000
.sum:
    lodsq
    rol rdx, 7
    xor rdx, rax
    cmp esi, DATA + 0x8000
    jne .sum
    mov esi, DATA + 0xA000
.rest:
    lodsq
    rol rdx, 7
    xor rdx, rax
    cmp esi, DATA + 0xC000
    jne .rest
    keep rdx
    xor eax, eax
    finish
