; Read-modify-write of memory at each size, across a cache line and across a page.
;; mem 0x10200ffe: ff ff 00 00 00 00 00 80
;; mem 0x1020003e: 00 00 01 80
%include "prelude.inc"
    mov rbx, DATA + PAGE - 2
    mov qword [rbx], 0x10000
    sub qword [rbx], 1                ; over the page's end
    keep_flags
    or byte [rbx + 7], 0x80
    keep_flags_but AF
    mov dword [abs DATA + 62], 0x7FFFFFFF
    add dword [abs DATA + 62], 1      ; over the line's end
    keep_flags
    inc word [abs DATA + 64]
    inc byte [abs DATA + 64]
    dec byte [abs DATA + 64]
    keep_flags
    not qword [abs DATA + 128]
    neg qword [abs DATA + 128]
    keep_flags
    xor word [abs DATA + 64], 0
    keep_flags_but AF
    finish
