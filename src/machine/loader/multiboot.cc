#include "machine/loader/multiboot.h"

#include <algorithm>
#include <array>

#include "machine/layout.h"
#include "machine/loader/bzimage.h"
#include "machine/loader/cpu_setup.h"
#include "machine/loader/elf.h"
#include "machine/loader/segments.h"
#include "machine/memory_map.h"

namespace pileus::machine {

namespace {

constexpr u64 kSearched = 8192;
constexpr u32 kHeaderMagic = 0x1BADB002, kLoaderMagic = 0x2BADB002;
// Flags of the header. Of the first sixteen, a loader must obey each or refuse.
constexpr u32 kAlignModules = 1 << 0, kWantsMemory = 1 << 1, kWantsVideo = 1 << 2, kHasAddresses = 1 << 16;
constexpr u32 kObeyed = kAlignModules | kWantsMemory;
constexpr u64 kPage = 4096;
constexpr u64 kMaxKernel = 512 * kMiB;
constexpr std::string_view kLoaderName = "Pileus";

// 3.3 "Boot information format", up to boot_loader_name.
struct Information {
  u32 flags;
  u32 memory_lower_kib, memory_upper_kib;
  u32 boot_device;
  u32 command_line;
  u32 module_count, modules;
  u32 symbols[4];
  u32 map_length, map;
  u32 drives_length, drives;
  u32 configuration_table;
  u32 loader_name;
};
static_assert(sizeof(Information) == 68);
constexpr u32 kHasMemory = 1 << 0, kHasCommandLine = 1 << 2, kHasModules = 1 << 3, kHasMap = 1 << 6, kHasName = 1 << 9;

struct Module {
  u32 start, end;
  u32 text;
  u32 reserved;
};
static_assert(sizeof(Module) == 16);

struct [[gnu::packed]] MapEntry {
  u32 size;  // of what follows
  u64 base, length;
  u32 type;
};
static_assert(sizeof(MapEntry) == 24);

// Everything but the kernel and its modules lies in one block from kZeroPage on; kCommandLine has the texts.
class Block {
 public:
  Block(guest::GuestMemory& memory, u64 base, u64 limit) : memory_(memory), at_(base), end_(base + limit) {}

  Result<u32> put(Bytes bytes) {
    if (bytes.size() > end_ - at_) {
      return Error(ErrorCode::kInvalid, "command line and modules' texts are too long: shorten them");
    }
    CHECK(memory_.write(at_, bytes));
    const auto address = static_cast<u32>(at_);
    at_ = std::min(align_up(at_ + bytes.size(), 8), end_);
    return address;
  }
  Result<u32> put_text(std::string_view text) {
    std::vector<u8> bytes(text.begin(), text.end());
    bytes.push_back(0);
    return put(bytes);
  }

 private:
  guest::GuestMemory& memory_;
  u64 at_;
  const u64 end_;
};

template <typename T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const u8*>(&value), sizeof value};
}

struct Loaded {
  u64 entry = 0;
  u64 end = 0;  // of the highest segment
};

Result<Loaded> load_by_addresses(guest::GuestMemory& memory, Bytes file, const MultibootHeader& header) {
  const Error damaged(ErrorCode::kCorrupt, "damaged: the addresses in its Multiboot header contradict one another");
  if (header.load_address > header.header_address || header.header_address - header.load_address > header.offset) {
    return damaged;
  }
  const u64 offset = header.offset - (header.header_address - header.load_address);
  if (header.load_end != 0 && header.load_end < header.load_address) return damaged;
  const u64 size = header.load_end != 0 ? header.load_end - header.load_address : file.size() - offset;
  if (!slice(file, offset, size)) return damaged;
  const u64 loaded_end = header.load_address + size;
  const u64 end = std::max<u64>(header.bss_end, loaded_end);
  ElfImage image;
  image.segments.push_back({header.load_address, header.load_address, offset, size, end - header.load_address});
  const u64 highest = TRY(load_segments(memory, file, image, kMaxKernel));
  return Loaded{header.entry, highest};
}

// The entry of an ELF file is a virtual address; paging is off where the kernel is entered.
u64 physical_entry(const ElfImage& image) {
  for (const ElfSegment& segment : image.segments) {
    const u64 offset = image.entry - segment.virtual_address;
    if (image.entry >= segment.virtual_address && offset < segment.memory_size) return segment.address + offset;
  }
  return image.entry;
}

Result<Loaded> load_elf(guest::GuestMemory& memory, Bytes file) {
  const ElfImage image = TRY(parse_elf(file));
  const u64 end = TRY(load_segments(memory, file, image, kMaxKernel));
  return Loaded{physical_entry(image), end};
}

Result<Loaded> load_kernel(guest::GuestMemory& memory, Bytes file) {
  const auto header = find_multiboot_header(file);
  if (!header) return Error(ErrorCode::kUnsupported, "has no Multiboot header");
  if ((header->flags & kWantsVideo) != 0) {
    return Error(ErrorCode::kUnsupported,
                 "demands a video mode, and this machine has no screen: build it for a serial console");
  }
  if ((header->flags & 0xFFFF & ~kObeyed) != 0) {
    return Error(ErrorCode::kUnsupported, "demands what Multiboot 0.6.96 does not know");
  }
  const Loaded loaded =
      TRY((header->flags & kHasAddresses) != 0 ? load_by_addresses(memory, file, *header) : load_elf(memory, file));
  const guest::GuestMemory::Region& low = memory.regions().front();
  if (loaded.entry >= low.size) return Error(ErrorCode::kCorrupt, "damaged: its entry lies outside of memory");
  return loaded;
}

// Behind the kernel, each on a page of its own.
Result<std::vector<Module>> load_modules(guest::GuestMemory& memory, u64 kernel_end,
                                         std::span<const MultibootModule> modules, Block& texts) {
  if (modules.size() > kMaxMultibootModules) {
    return Error(ErrorCode::kInvalid, "there are more than 64 modules: leave some out");
  }
  std::vector<Module> list;
  u64 at = align_up(kernel_end, kPage);
  for (const MultibootModule& module : modules) {
    if (!memory.write(at, module.bytes)) {
      return Error(ErrorCode::kInvalid,
                   "module '" + module.text + "' does not fit in the guest's memory: give the machine more");
    }
    const u32 text = TRY(texts.put_text(module.text));
    list.push_back({static_cast<u32>(at), static_cast<u32>(at + module.bytes.size()), text, 0});
    at = align_up(at + module.bytes.size(), kPage);
  }
  return list;
}

std::vector<u8> encode_map(const guest::GuestMemory& memory) {
  std::vector<u8> bytes;
  for (const MemoryRange& range : memory_map(memory)) {
    const MapEntry entry{sizeof(MapEntry) - sizeof(u32), range.start, range.end - range.start,
                         static_cast<u32>(range.kind)};
    const Bytes raw = bytes_of(entry);
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
  return bytes;
}

}  // namespace

std::optional<MultibootHeader> find_multiboot_header(Bytes file) {
  const Bytes searched = file.first(std::min<u64>(file.size(), kSearched));
  for (u64 offset = 0; offset + 12 <= searched.size(); offset += 4) {
    const auto words = load<std::array<u32, 8>>(file, offset);
    const auto head = load<std::array<u32, 3>>(searched, offset);
    if ((*head)[0] != kHeaderMagic || (*head)[0] + (*head)[1] + (*head)[2] != 0) continue;
    MultibootHeader header{.offset = offset, .flags = (*head)[1]};
    if ((header.flags & kHasAddresses) == 0) return header;
    if (!words) continue;
    header.header_address = (*words)[3];
    header.load_address = (*words)[4];
    header.load_end = (*words)[5];
    header.bss_end = (*words)[6];
    header.entry = (*words)[7];
    return header;
  }
  return std::nullopt;
}

bool looks_like_multiboot(Bytes file) { return !looks_like_bzimage(file) && find_multiboot_header(file).has_value(); }

Result<engine::CpuState> load_multiboot(guest::GuestMemory& memory, const MultibootBoot& boot) {
  const Loaded kernel = TRY(load_kernel(memory, boot.kernel).with("kernel"));
  Block texts(memory, kCommandLine, kCommandLineLimit);
  Block tables(memory, kZeroPage + sizeof(Information), kCommandLine - kZeroPage - sizeof(Information));

  Information information{};
  information.flags = kHasMemory | kHasCommandLine | kHasModules | kHasMap | kHasName;
  information.memory_lower_kib = static_cast<u32>(kLowRamEnd / kKiB);
  information.memory_upper_kib = static_cast<u32>((memory.regions().front().size - kHighRamStart) / kKiB);
  information.command_line = TRY(texts.put_text(boot.command_line));
  information.loader_name = TRY(texts.put_text(kLoaderName));
  const std::vector<Module> modules = TRY(load_modules(memory, kernel.end, boot.modules, texts));
  information.module_count = static_cast<u32>(modules.size());
  information.modules = TRY(tables.put({reinterpret_cast<const u8*>(modules.data()), modules.size() * sizeof(Module)}));
  const std::vector<u8> map = encode_map(memory);
  information.map = TRY(tables.put(map));
  information.map_length = static_cast<u32>(map.size());
  CHECK(memory.write(kZeroPage, bytes_of(information)));

  engine::CpuState state = enter_protected_mode(memory, static_cast<u32>(kernel.entry));
  state.gpr[engine::kRax] = kLoaderMagic;
  state.gpr[engine::kRbx] = kZeroPage;
  return state;
}

}  // namespace pileus::machine
