// bzImage: the kernel file that distributions ship (Linux: Documentation/arch/x86/boot.rst).
//
//   bzImage = boot_sector(512) setup(setup_sects * 512) protected_mode_code
//   The setup header sits at 0x1F1. Since protocol 2.08 it says where in protected_mode_code the
//   packed ELF lies.
#pragma once

#include <asm/bootparam.h>

#include <vector>

#include "base/result.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {

struct BzImage {
  setup_header header;  // fields that the file's older protocol lacks are zero
  Bytes payload;        // the packed ELF, inside the file
};

bool looks_like_bzimage(Bytes file);
Result<BzImage> parse_bzimage(Bytes file);

}  // namespace pileus::machine
