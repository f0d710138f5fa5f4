// Boot loader specification entries: one small file for each kernel (UAPI group, "The Boot Loader
// Specification", type #1).
#pragma once

#include <string_view>

#include "machine/diskboot/grub_config.h"

namespace pileus::machine {

// Paths are as written; variables such as $kernelopts are replaced. kNotFound when it names no
// Linux kernel.
Result<BootRecipe> parse_bls_entry(std::string_view text, const Variables& variables);

}  // namespace pileus::machine
