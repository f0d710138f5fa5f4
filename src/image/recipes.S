// The image recipes, inside the program: `pileus image build` needs no file beside it.
    .section .rodata
    .macro recipe symbol, path
    .global \symbol
\symbol:
    .incbin "image/recipes/\path"
    .byte 0
    .endm
    recipe pileus_recipe_assemble, "assemble.sh"
    recipe pileus_recipe_debian_early, "debian/early.sh"
    recipe pileus_recipe_debian_setup, "debian/setup.sh"
    recipe pileus_recipe_debian_11_packages, "debian/packages"
    // The packages of every release, and more.
    .macro packages symbol, paths:vararg
    .global \symbol
\symbol:
    .incbin "image/recipes/debian/packages"
    .irp path, \paths
    .incbin "image/recipes/\path/packages"
    .endr
    .byte 0
    .endm
    packages pileus_recipe_debian_12_packages, debian-12
    packages pileus_recipe_debian_12_programs_packages, debian-12, debian-12-programs
    packages pileus_recipe_debian_13_packages, debian-12, debian-13
    .section .note.GNU-stack, "", @progbits
