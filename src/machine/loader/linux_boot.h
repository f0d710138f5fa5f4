// Direct boot of Linux: puts kernel, initramfs, command line and boot parameters into guest RAM, as
// a boot loader would, and gives the state in which the first CPU enters the kernel: at the ELF entry, rsi = zero page, in
// 64-bit mode or, for an i386 kernel, in 32-bit protected mode (Linux: Documentation/arch/x86/boot.rst "64-bit Boot
// Protocol" and "32-bit Boot Protocol", zero-page.rst).
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/cpu_state.h"
#include "guest/memory.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {

struct LinuxBoot {
  Bytes kernel;  // bzImage or ELF vmlinux
  Bytes initrd;  // may be empty
  std::string_view command_line;
  u64 rsdp = 0;  // physical address of the ACPI root pointer, 0 = none
  Bytes random_seed;  // handed to the guest's random number generator; may be empty, at most 1 KiB
};

// Bound on an unpacked kernel.
inline constexpr u64 kMaxKernelBytes = 512 * kMiB;

// Writes to `memory` and returns the boot CPU's state. RAM that is not written keeps its contents.
// Errors name the file
// ("kernel: truncated: ...") or what does not fit in the guest's memory.
Result<engine::CpuState> load_linux(guest::GuestMemory& memory, const LinuxBoot& boot);

}  // namespace pileus::machine
