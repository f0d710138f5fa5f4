; FMA on single-precision numbers.
;; needs avx2
;; expect rax=0xc853f589
%include "prelude.inc"
%define SINGLES
%include "vectors.inc"
    fused vfmadd132ps, vfmadd213ps, vfmadd231ps
    fused vfmsub132ps, vfmsub213ps, vfmsub231ps
    fused vfnmadd132ps, vfnmadd213ps, vfnmadd231ps
    fused vfnmsub132ps, vfnmsub213ps, vfnmsub231ps
    fused vfmaddsub132ps, vfmaddsub213ps, vfmaddsub231ps
    fused vfmsubadd132ps, vfmsubadd213ps, vfmsubadd231ps
    fused_scalar vfmadd132ss, vfmadd213ss, vfmadd231ss
    fused_scalar vfmsub132ss, vfmsub213ss, vfmsub231ss
    fused_scalar vfnmadd132ss, vfnmadd213ss, vfnmadd231ss
    fused_scalar vfnmsub132ss, vfnmsub213ss, vfnmsub231ss
    checksum
    finish
