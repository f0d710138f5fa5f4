#include "machine/loader/linux_boot.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "machine/layout.h"
#include "machine/loader/bzimage.h"
#include "machine/loader/cpu_setup.h"
#include "machine/loader/decompress.h"
#include "machine/loader/elf.h"
#include "machine/loader/segments.h"
#include "machine/memory_map.h"

namespace pileus::machine {

namespace {

constexpr u64 kPage = 4096;

// A kernel that is in RAM, and its setup header.
struct Kernel {
  setup_header header{};
  u64 entry = 0;
  bool is_i386 = false;
  u64 end = 0;  // of its memory
};

// What a bare vmlinux, which has no setup header, is taken to say.
setup_header default_header() {
  setup_header header{};
  header.boot_flag = 0xAA55;
  header.header = 0x53726448;  // "HdrS"
  header.version = 0x020F;
  header.loadflags = LOADED_HIGH;
  header.initrd_addr_max = 0x7FFFFFFF;
  header.kernel_alignment = 0x1000000;
  header.cmdline_size = 2047;
  return header;
}

Result<Kernel> load_vmlinux(guest::GuestMemory& memory, Bytes file) {
  const ElfImage elf = TRY(parse_elf(file));
  const u64 end = TRY(load_segments(memory, file, elf, kMaxKernelBytes));
  return Kernel{default_header(), elf.entry, elf.is_i386, end};
}

// Each piece of the ELF file goes to RAM as it is unpacked: the whole would be some 50 MiB more.
Result<Kernel> load_packed(guest::GuestMemory& memory, const BzImage& image) {
  std::optional<SegmentLoader> loader;
  const auto take = [&](Bytes piece) -> Result<> {
    if (!loader) {
      ElfImage elf = TRY(parse_elf(piece, kMaxKernelBytes));
      loader = TRY(SegmentLoader::create(memory, std::move(elf), kMaxKernelBytes));
    }
    loader->take(piece);
    return {};
  };
  TRY(decompress(image.payload, kMaxKernelBytes, take));
  if (!loader) return Error(ErrorCode::kCorrupt, "damaged: it unpacks to nothing");
  const u64 end = TRY(loader->finish());
  return Kernel{image.header, loader->image().entry, loader->image().is_i386, end};
}

Result<Kernel> load_kernel(guest::GuestMemory& memory, Bytes file) {
  if (looks_like_elf(file)) return load_vmlinux(memory, file);
  if (!looks_like_bzimage(file)) return Error(ErrorCode::kUnsupported, "neither a bzImage nor an ELF kernel");
  const BzImage image = TRY(parse_bzimage(file));
  return load_packed(memory, image);
}

// As high as the kernel allows, so that it is out of the way while the kernel starts.
Result<u64> load_initrd(guest::GuestMemory& memory, Bytes initrd, u64 kernel_end, const setup_header& header) {
  if (initrd.empty()) return u64{0};
  const guest::GuestMemory::Region& low = memory.regions().front();
  const u64 limit = std::min(low.base + low.size, u64{header.initrd_addr_max} + 1);
  const u64 floor = align_up(kernel_end, kPage);
  if (limit < floor || initrd.size() > limit - floor) {
    return Error(ErrorCode::kInvalid, "does not fit in the guest's memory beside the kernel: give the machine more");
  }
  const u64 address = align_down(limit - initrd.size(), kPage);
  if (address < floor || !memory.write(address, initrd)) {
    return Error(ErrorCode::kInvalid, "does not fit in the guest's memory beside the kernel: give the machine more");
  }
  return address;
}

Result<> load_command_line(guest::GuestMemory& memory, std::string_view text, const setup_header& header) {
  const u64 limit = std::min<u64>(header.cmdline_size, kCommandLineLimit - 1);
  if (text.size() > limit) {
    return Error(ErrorCode::kInvalid,
                 "is " + std::to_string(text.size()) + " bytes long, this kernel takes " + std::to_string(limit));
  }
  std::vector<u8> bytes(text.begin(), text.end());
  bytes.push_back(0);
  CHECK(memory.write(kCommandLine, bytes));
  return {};
}

// A setup_data node of type SETUP_RNG_SEED: without it a guest's first random numbers are weak or
// late. Kernels that do not know the type skip it. Returns its address, or 0.
u64 write_random_seed(guest::GuestMemory& memory, Bytes seed) {
  constexpr u64 kMaxSeed = 1024;
  if (seed.empty()) return 0;
  const Bytes used = seed.first(std::min<u64>(seed.size(), kMaxSeed));
  setup_data node{};
  node.type = SETUP_RNG_SEED;
  node.len = static_cast<u32>(used.size());
  CHECK(memory.write(kSetupData, {reinterpret_cast<const u8*>(&node), sizeof node}));
  CHECK(memory.write(kSetupData + sizeof node, used));
  return kSetupData;
}

void fill_e820(boot_params& params, const guest::GuestMemory& memory) {
  for (const MemoryRange& range : memory_map(memory)) {
    params.e820_table[params.e820_entries++] = {range.start, range.end - range.start, static_cast<u32>(range.kind)};
  }
}

}  // namespace

Result<engine::CpuState> load_linux(guest::GuestMemory& memory, const LinuxBoot& boot) {
  if (memory.host(0, kHighRamStart) == nullptr) {
    return Error(ErrorCode::kInvalid, "the guest's memory is too small to boot Linux");
  }
  const Kernel kernel = TRY(load_kernel(memory, boot.kernel).with("kernel"));
  const u64 initrd = TRY(load_initrd(memory, boot.initrd, kernel.end, kernel.header).with("initrd"));
  TRY(load_command_line(memory, boot.command_line, kernel.header).with("kernel command line"));

  boot_params params{};
  params.hdr = kernel.header;
  params.hdr.type_of_loader = 0xFF;  // boot.rst: no registered id
  params.hdr.vid_mode = 0xFFFF;      // boot.rst: "normal"
  params.hdr.cmd_line_ptr = static_cast<u32>(kCommandLine);
  params.hdr.ramdisk_image = static_cast<u32>(initrd);
  params.hdr.ramdisk_size = static_cast<u32>(boot.initrd.size());
  params.hdr.setup_data = write_random_seed(memory, boot.random_seed);
  params.acpi_rsdp_addr = boot.rsdp;
  fill_e820(params, memory);
  CHECK(memory.write(kZeroPage, {reinterpret_cast<const u8*>(&params), sizeof params}));
  if (!kernel.is_i386) return enter_long_mode(memory, kernel.entry, kZeroPage);
  engine::CpuState state = enter_protected_mode(memory, static_cast<u32>(kernel.entry));
  state.gpr[engine::kRsi] = kZeroPage;
  return state;
}

}  // namespace pileus::machine
