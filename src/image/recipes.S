// The image recipes, inside the program: `pileus image build` needs no file beside it.
    .section .rodata
    .macro recipe symbol, path
    .global \symbol
\symbol:
    .incbin "image/recipes/\path"
    .byte 0
    .endm
    recipe pileus_recipe_assemble, "assemble.sh"
    recipe pileus_recipe_debian_12_packages, "debian-12/packages"
    recipe pileus_recipe_debian_12_early, "debian-12/early.sh"
    recipe pileus_recipe_debian_12_setup, "debian-12/setup.sh"
    // The packages of debian-12, and more.
    .global pileus_recipe_debian_12_programs_packages
pileus_recipe_debian_12_programs_packages:
    .incbin "image/recipes/debian-12/packages"
    .incbin "image/recipes/debian-12-programs/packages"
    .byte 0
    .section .note.GNU-stack, "", @progbits
