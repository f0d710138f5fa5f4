#include "machine/firmware/bios.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "machine/acpi/tables.h"
#include "machine/layout.h"
#include "machine/loader/cpu_setup.h"
#include "machine/memory_map.h"

namespace pileus::machine {

namespace {

constexpr u64 kTablesSize = 64 * kKiB;
constexpr u64 kRsdpSize = 36;
constexpr u64 kRomEnd = 4 * kGiB;
constexpr u8 kFarJump = 0xEA;

// One entry of "etc/e820".
struct [[gnu::packed]] E820Entry {
  u64 start, length;
  u32 type;
};
static_assert(sizeof(E820Entry) == 20);

// One command of "etc/table-loader" (QEMU: hw/acpi/bios-linker-loader.c): allocate a file's contents.
struct [[gnu::packed]] AllocateCommand {
  u32 command;
  char file[56];
  u32 align;
  u8 zone;  // 2: the F segment, where an operating system looks for the RSDP
  u8 padding[63];
};
static_assert(sizeof(AllocateCommand) == 128);

template <typename T>
void append(std::vector<u8>& bytes, const T& value) {
  bytes.resize(bytes.size() + sizeof value);
  std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
}

// The first MiB is SeaBIOS's own business.
std::vector<u8> encode_e820(const guest::GuestMemory& memory, u64 tables) {
  std::vector<u8> bytes;
  const auto add = [&](u64 start, u64 end, MemoryKind kind) {
    append(bytes, E820Entry{start, end - start, static_cast<u32>(kind)});
  };
  for (const MemoryRange& range : memory_map(memory)) {
    if (range.end <= kHighRamStart) {
      if (range.start == 0) add(0, kHighRamStart, MemoryKind::kRam);
    } else if (range.start < tables && tables < range.end) {
      add(range.start, tables, MemoryKind::kRam);
      add(tables, range.end, MemoryKind::kReserved);
    } else {
      add(range.start, range.end, range.kind);
    }
  }
  return bytes;
}

std::vector<u8> little64(u64 value) {
  std::vector<u8> bytes;
  append(bytes, value);
  return bytes;
}

std::vector<u8> text(const std::string& string) {
  std::vector<u8> bytes(string.begin(), string.end());
  bytes.push_back(0);
  return bytes;
}

}  // namespace

std::string virtio_disk_path(unsigned slot) { return fmt::format("/pci@i0cf8/scsi@{:x}/disk@0,0", slot); }
std::string virtio_cd_path(unsigned slot) { return fmt::format("/pci@i0cf8/scsi@{:x}/channel@0/disk@0,0", slot); }
std::string sata_path(unsigned slot, u32 port) {
  return fmt::format("/pci@i0cf8/sata@{:x}/drive@{:x}/disk@0", slot, port);
}

u64 Bios::Rom::read(u64 offset, unsigned size) {
  u64 value = 0;
  std::memcpy(&value, bytes_.data() + offset, size);
  return value;
}

Bios::Bios(std::vector<u8> image, guest::GuestMemory& memory, const BiosBoard& board)
    : image_(std::move(image)),
      memory_(memory),
      cpu_count_(board.cpu_count),
      tables_(memory.regions().front().size - kTablesSize),
      fw_cfg_(board.cpu_count) {
  add_files(board);
}

Result<std::unique_ptr<Bios>> Bios::create(std::vector<u8> image, guest::GuestMemory& memory, const BiosBoard& board) {
  const bool sized = image.size() == 64 * kKiB || image.size() == 128 * kKiB || image.size() == 256 * kKiB;
  if (!sized || image[image.size() - 16] != kFarJump) {
    return Error(ErrorCode::kUnsupported,
                 "the firmware is no PC BIOS of 64, 128 or 256 KiB: give it SeaBIOS, by --firmware bios");
  }
  return std::unique_ptr<Bios>(new Bios(std::move(image), memory, board));
}

void Bios::add_files(const BiosBoard& board) {
  fw_cfg_.add_file("etc/e820", encode_e820(memory_, tables_));
  const std::vector<u8> tables = build_acpi_tables(tables_, {cpu_count_, true});
  fw_cfg_.add_file("etc/acpi/rsdp", {tables.begin(), tables.begin() + kRsdpSize});
  AllocateCommand allocate{};
  allocate.command = 1;
  std::strncpy(allocate.file, "etc/acpi/rsdp", sizeof allocate.file - 1);
  allocate.align = 16;
  allocate.zone = 2;
  std::vector<u8> script;
  append(script, allocate);
  fw_cfg_.add_file("etc/table-loader", std::move(script));
  // SeaBIOS writes the address of the structures into the entry point.
  SmbiosTables smbios = build_smbios(0, board.smbios);
  fw_cfg_.add_file("etc/smbios/smbios-anchor", std::move(smbios.entry_point));
  fw_cfg_.add_file("etc/smbios/smbios-tables", std::move(smbios.structures));
  fw_cfg_.add_file("etc/sercon-port", little64(kPortSerial));
  fw_cfg_.add_file("etc/show-boot-menu", little64(0));
  if (!board.boot_order.empty())
    fw_cfg_.add_file("bootorder", text(fmt::format("{}", fmt::join(board.boot_order, "\n"))));
}

Result<> Bios::add_to(guest::Bus& mmio, guest::Bus& ports) {
  TRY(mmio.add(kRomEnd - image_.size(), image_.size(), &rom_));
  TRY(ports.add(kPortFwCfg, FwCfg::kPorts, &fw_cfg_));
  TRY(ports.add(kPortFirmwareDebug, DebugPort::kPorts, &debug_));
  return {};
}

engine::CpuState Bios::load() {
  fw_cfg_.reset();
  const std::vector<u8> tables = build_acpi_tables(tables_, {cpu_count_, true});
  CHECK(tables.size() <= kTablesSize && memory_.write(tables_, tables));
  CHECK(memory_.write(kHighRamStart - image_.size(), image_));
  engine::CpuState state = reset_state(0);
  // As after the far jump that every BIOS begins with: from its shadow.
  state.segment[engine::kCs].base = 0xF0000;
  state.run_state = engine::RunState::kRunning;
  return state;
}

}  // namespace pileus::machine
