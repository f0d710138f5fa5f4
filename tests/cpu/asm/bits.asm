; BT and the like: index within a register, and far outside of memory operands; scans; POPCNT; BSWAP.
;; expect rax=0x8000000000000001 rdi=0x3f rsi=0x7fff rbp=0x21
;; mem 0x10203ff8: 00 00 00 00 00 00 00 80
%include "prelude.inc"
%define NOT_DEFINED (PF | AF | SF | OF)
    mov eax, 1
    mov ecx, 127
    bts rax, rcx                    ; 127 is 63
    keep_flags_but NOT_DEFINED
    mov rbx, DATA + 0x4000
    mov rdx, -1
    bts [rbx], rdx                  ; the bit before
    keep_flags_but NOT_DEFINED
    btc dword [rbx], 33             ; an immediate stays within
    mov edx, 0x100
    btr [rbx], edx
    keep_flags_but NOT_DEFINED
    bt [rbx - 8], rcx
    keep_flags_but NOT_DEFINED
    mov cx, -16
    bts [rbx + 64], cx
    bsr rdi, rax
    keep_flags_but CF | NOT_DEFINED
    bsf r8, rax
    mov r9d, 0
    mov r10, 0x1234
    bsf r10, r9                     ; zero: ZF, and on all known processors no change
    keep_flags_but CF | NOT_DEFINED
    keep r8, r10
    mov rsi, 0x7FFFFFFFFFFFFFFF
    popcnt rsi, rsi
    keep_flags
    keep rsi
    mov esi, 0xFF7F0000
    bswap esi
    mov ebp, 0x21
    mov r11, 0x0102030405060708
    bswap r11
    keep r11
    finish
