; INT3 is a trap: RIP is behind it.
;; expect exception=3 rip=0x10000006
%include "prelude.inc"
    mov eax, 7
    int3
    finish
