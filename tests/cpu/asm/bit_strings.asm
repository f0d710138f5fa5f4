; BT, BTS, BTR and BTC of memory with the number in a register: every kind of register, both widths, before and far behind the
; operand, over the end of a page, with LOCK. ZF stays.
;; expect rax=0x0
%include "prelude.inc"
%define NOT_DEFINED (PF | AF | SF | OF)
%macro bits_of 3  ; operand, register, number
  %rep 2
    mov %2, %3
    cmp rsp, 0
    bts %1, %2
    keep_flags_but NOT_DEFINED
    bt %1, %2
    keep_flags_but NOT_DEFINED
    btc %1, %2
    keep_flags_but NOT_DEFINED
    lock btc %1, %2
    keep_flags_but NOT_DEFINED
    lock btr %1, %2
    keep_flags_but NOT_DEFINED
    cmp rsp, rsp                   ; ZF
    lock bts %1, %2
    keep_flags_but NOT_DEFINED
  %endrep
%endmacro
    mov rbx, DATA + 0x1000
    mov rbp, 3
    bits_of [rbx], rdx, 0
    bits_of [rbx + 8], rdx, 127
    bits_of [rbx], rcx, -1
    bits_of [rbx + rbp * 4], r10, 1000
    bits_of [rbx + 0x100], r11d, -100
    bits_of [rbx + 0x100], r12d, 0x7FF
    bits_of [rbx + 0xFFC], r15, 3  ; the word reaches into the next page
    bits_of [rbx + 0xFFC], r8d, 35
    bits_of [abs DATA + 0x3000], rsi, 0x7FFF
    bits_of [abs DATA + 0x3000], edi, 0x80000001 - 0x80000000
    mov r11, DATA + 0x2000
    bits_of [r11 + 5], r10d, 77
    mov r15, 2
    bits_of [r11 + r15 * 8], r10, -65
    mov ecx, 64
.sum:
    rol rax, 9
    xor rax, [rbx + rcx * 8 - 64]
    loop .sum
    keep rax
    mov rax, [abs DATA + 0x3000 + 0xFF8]
    keep rax
    mov rax, [r11]
    keep rax
    xor eax, eax
    finish
