; FMA on double-precision numbers.
;; needs avx2
;; expect rax=0xaf3af284
%include "prelude.inc"
%define DOUBLES
%include "vectors.inc"
    fused vfmadd132pd, vfmadd213pd, vfmadd231pd
    fused vfmsub132pd, vfmsub213pd, vfmsub231pd
    fused vfnmadd132pd, vfnmadd213pd, vfnmadd231pd
    fused vfnmsub132pd, vfnmsub213pd, vfnmsub231pd
    fused vfmaddsub132pd, vfmaddsub213pd, vfmaddsub231pd
    fused vfmsubadd132pd, vfmsubadd213pd, vfmsubadd231pd
    fused_scalar vfmadd132sd, vfmadd213sd, vfmadd231sd
    fused_scalar vfmsub132sd, vfmsub213sd, vfmsub231sd
    fused_scalar vfnmadd132sd, vfnmadd213sd, vfnmadd231sd
    fused_scalar vfnmsub132sd, vfnmsub213sd, vfnmsub231sd
    checksum
    finish
