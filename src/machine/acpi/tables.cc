#include "machine/acpi/tables.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "machine/devices/power_ports.h"
#include "machine/layout.h"
#include "machine/legacy/acpi_pm.h"

extern "C" {
extern const pileus::u8 pileus_dsdt[];
extern const pileus::u8 pileus_dsdt_end[];
}

namespace pileus::machine {

namespace {

// ACPI 6.5, 5.2.5.3.
struct [[gnu::packed]] Rsdp {
  char signature[8];
  u8 checksum;
  char oem_id[6];
  u8 revision;
  u32 rsdt_address;
  u32 length;
  u64 xsdt_address;
  u8 extended_checksum;
  u8 reserved[3];
};
static_assert(sizeof(Rsdp) == 36);

// 5.2.6: in front of every table.
struct [[gnu::packed]] TableHeader {
  char signature[4];
  u32 length;
  u8 revision;
  u8 checksum;
  char oem_id[6];
  char oem_table_id[8];
  u32 oem_revision;
  char creator_id[4];
  u32 creator_revision;
};
static_assert(sizeof(TableHeader) == 36);

// 5.2.3.2.
struct [[gnu::packed]] GenericAddress {
  u8 address_space;  // 1 = system I/O
  u8 bit_width;
  u8 bit_offset;
  u8 access_size;  // 1 = byte
  u64 address;
};
static_assert(sizeof(GenericAddress) == 12);

// 5.2.9. What every board here leaves zero are gaps; a hardware-reduced one leaves zero all from firmware_control to
// century, and x_pm1a_event to x_pm_timer.
struct [[gnu::packed]] Fadt {
  TableHeader header;
  u32 firmware_control;
  u32 dsdt;
  u8 gap0[2];
  u16 sci_interrupt;
  u8 gap1[8];
  u32 pm1a_event;
  u32 gap2;
  u32 pm1a_control;
  u32 gap3[2];
  u32 pm_timer;
  u8 gap4[8];
  u8 pm1_event_length;
  u8 pm1_control_length;
  u8 gap5;
  u8 pm_timer_length;
  u8 gap6[4];
  u16 level2_latency;
  u16 level3_latency;
  u8 gap7[8];
  u8 century;
  u16 boot_architecture;
  u8 gap8;
  u32 flags;
  GenericAddress reset_register;
  u8 reset_value;
  u16 arm_boot_architecture;
  u8 minor_version;
  u64 x_firmware_control;
  u64 x_dsdt;
  GenericAddress x_pm1a_event;
  GenericAddress x_pm1b_event;
  GenericAddress x_pm1a_control;
  GenericAddress x_pm1b_control;
  GenericAddress x_pm2_control;
  GenericAddress x_pm_timer;
  u8 gap9[24];
  GenericAddress sleep_control;
  GenericAddress sleep_status;
  u64 hypervisor_vendor;
};
static_assert(sizeof(Fadt) == 276);
static_assert(offsetof(Fadt, sci_interrupt) == 46);
static_assert(offsetof(Fadt, pm1a_event) == 56);
static_assert(offsetof(Fadt, pm_timer) == 76);
static_assert(offsetof(Fadt, pm_timer_length) == 91);
static_assert(offsetof(Fadt, century) == 108);
static_assert(offsetof(Fadt, boot_architecture) == 109);
static_assert(offsetof(Fadt, x_pm_timer) == 208);
static_assert(offsetof(Fadt, reset_register) == 116);
static_assert(offsetof(Fadt, x_dsdt) == 140);
static_assert(offsetof(Fadt, sleep_control) == 244);

// 5.2.10.
struct [[gnu::packed]] Facs {
  char signature[4];
  u32 length;
  u8 gap0[24];
  u8 version;
  u8 gap1[31];
};
static_assert(sizeof(Facs) == 64);

// 5.2.12.
struct [[gnu::packed]] MadtHead {
  TableHeader header;
  u32 local_apic;
  u32 flags;  // bit 0: there is an 8259 pair
};
struct [[gnu::packed]] MadtLocalApic {
  u8 type, length, processor, apic_id;
  u32 flags;  // bit 0: enabled
};
struct [[gnu::packed]] MadtOverride {
  u8 type, length, bus, irq;
  u32 gsi;
  u16 flags;
};
struct [[gnu::packed]] MadtIoapic {
  u8 type, length, id, reserved;
  u32 address;
  u32 first_gsi;
};
static_assert(sizeof(MadtHead) == 44 && sizeof(MadtLocalApic) == 8 && sizeof(MadtIoapic) == 12 &&
              sizeof(MadtOverride) == 10);

// PCI Firmware 3.2, 4.1.2.
struct [[gnu::packed]] Mcfg {
  TableHeader header;
  u64 reserved0;
  u64 base;
  u16 segment;
  u8 first_bus, last_bus;
  u32 reserved1;
};
static_assert(sizeof(Mcfg) == 60);

template <typename T>
void append(std::vector<u8>& bytes, const T& value) {
  const auto* data = reinterpret_cast<const u8*>(&value);
  bytes.insert(bytes.end(), data, data + sizeof value);
}

// The byte that makes the sum of all bytes zero.
u8 checksum(std::span<const u8> bytes) { return static_cast<u8>(-std::accumulate(bytes.begin(), bytes.end(), 0)); }

TableHeader header(std::string_view signature, u8 revision) {
  TableHeader result{};
  std::memcpy(result.signature, signature.data(), sizeof result.signature);
  result.revision = revision;
  std::memcpy(result.oem_id, "PILEUS", sizeof result.oem_id);
  std::memcpy(result.oem_table_id, "PILEUSVM", sizeof result.oem_table_id);
  result.oem_revision = 1;
  std::memcpy(result.creator_id, "PILE", sizeof result.creator_id);
  result.creator_revision = 1;
  return result;
}

// Fills in length and checksum of a table.
void seal(std::vector<u8>& table) {
  const auto length = static_cast<u32>(table.size());
  std::memcpy(table.data() + offsetof(TableHeader, length), &length, sizeof length);
  table[offsetof(TableHeader, checksum)] = checksum(table);
}

GenericAddress port(u64 offset) { return {1, 8, 0, 1, kPortPower + offset}; }

GenericAddress block(u64 address, u64 bytes, u8 access_size) {
  return {1, static_cast<u8>(bytes * 8), 0, access_size, address};
}

// The fixed hardware that AcpiPm is, in both forms of address.
void describe_fixed_hardware(Fadt& fadt, u64 facs_address) {
  constexpr u16 kNoSuchState = 0xFFFF;
  constexpr u8 kWords = 2, kDoubleWords = 3;
  fadt.firmware_control = static_cast<u32>(facs_address);
  fadt.dsdt = static_cast<u32>(fadt.x_dsdt);
  fadt.sci_interrupt = kIrqSci;
  fadt.pm1a_event = kPortAcpiPm + AcpiPm::kEvent;
  fadt.pm1a_control = kPortAcpiPm + AcpiPm::kControl;
  fadt.pm_timer = kPortAcpiPm + AcpiPm::kTimer;
  fadt.pm1_event_length = AcpiPm::kEventLength;
  fadt.pm1_control_length = AcpiPm::kControlLength;
  fadt.pm_timer_length = AcpiPm::kTimerLength;
  fadt.level2_latency = fadt.level3_latency = kNoSuchState;
  fadt.century = 0x32;
  fadt.x_pm1a_event = block(fadt.pm1a_event, AcpiPm::kEventLength, kWords);
  fadt.x_pm1a_control = block(fadt.pm1a_control, AcpiPm::kControlLength, kWords);
  fadt.x_pm_timer = block(fadt.pm_timer, AcpiPm::kTimerLength, kDoubleWords);
}

std::vector<u8> build_fadt(u64 dsdt_address, std::optional<u64> facs_address) {
  constexpr u16 kNoVga = 1 << 2, kNoAspm = 1 << 4;
  constexpr u32 kWbinvd = 1 << 0, kNoFixedPowerButton = 1 << 4, kNoFixedSleepButton = 1 << 5;
  constexpr u32 kResetSupported = 1 << 10, kHardwareReduced = 1 << 20;
  Fadt fadt{};
  fadt.header = header("FACP", 6);
  fadt.minor_version = 5;
  // Linux then leaves the keyboard ports alone, except to reset through them.
  fadt.boot_architecture = kNoVga | kNoAspm;
  fadt.flags = kWbinvd | kNoFixedPowerButton | kNoFixedSleepButton | kResetSupported;
  if (facs_address) {
    constexpr u16 kLegacyDevices = 1 << 0;
    constexpr u32 kNoFixedRtcWake = 1 << 6, k32BitTimer = 1 << 8;
    fadt.boot_architecture |= kLegacyDevices;
    fadt.flags |= kNoFixedRtcWake | k32BitTimer;
  } else {
    fadt.flags |= kHardwareReduced;
  }
  fadt.reset_register = port(PowerPorts::kReset);
  fadt.reset_value = PowerPorts::kResetValue;
  fadt.x_dsdt = dsdt_address;
  fadt.sleep_control = port(PowerPorts::kSleepControl);
  fadt.sleep_status = port(PowerPorts::kSleepStatus);
  if (facs_address) describe_fixed_hardware(fadt, *facs_address);
  std::memcpy(&fadt.hypervisor_vendor, "PILEUS", 6);
  std::vector<u8> table;
  append(table, fadt);
  seal(table);
  return table;
}

std::vector<u8> build_facs() {
  Facs facs{};
  std::memcpy(facs.signature, "FACS", sizeof facs.signature);
  facs.length = sizeof facs;
  facs.version = 2;
  std::vector<u8> table;
  append(table, facs);
  return table;
}

std::vector<u8> build_madt(const AcpiBoard& board) {
  std::vector<u8> table;
  append(table, MadtHead{header("APIC", 5), static_cast<u32>(kLocalApic), board.legacy_devices ? 1u : 0u});
  for (u32 id = 0; id < board.cpu_count; ++id) {
    append(table, MadtLocalApic{0, sizeof(MadtLocalApic), static_cast<u8>(id), static_cast<u8>(id), 1});
  }
  append(table, MadtIoapic{1, sizeof(MadtIoapic), 0, 0, static_cast<u32>(kIoapic), 0});
  if (board.legacy_devices) {
    constexpr u16 kAsTheBusHasIt = 0, kLevelActiveHigh = 0xD;
    append(table, MadtOverride{2, sizeof(MadtOverride), 0, kIrqTimer, kGsiTimer, kAsTheBusHasIt});
    append(table, MadtOverride{2, sizeof(MadtOverride), 0, kIrqSci, kIrqSci, kLevelActiveHigh});
  }
  seal(table);
  return table;
}

std::vector<u8> build_mcfg() {
  std::vector<u8> table;
  append(table, Mcfg{header("MCFG", 1), 0, kEcam, 0, 0, static_cast<u8>(kEcamSize / kMiB - 1), 0});
  seal(table);
  return table;
}

std::vector<u8> build_xsdt(std::span<const u64> addresses) {
  std::vector<u8> table;
  append(table, header("XSDT", 1));
  for (const u64 address : addresses) append(table, address);
  seal(table);
  return table;
}

Rsdp build_rsdp(u64 xsdt_address) {
  constexpr u64 kFirstVersionLength = 20;
  Rsdp rsdp{};
  std::memcpy(rsdp.signature, "RSD PTR ", sizeof rsdp.signature);
  std::memcpy(rsdp.oem_id, "PILEUS", sizeof rsdp.oem_id);
  rsdp.revision = 2;
  rsdp.length = sizeof rsdp;
  rsdp.xsdt_address = xsdt_address;
  const std::span<const u8> bytes(reinterpret_cast<const u8*>(&rsdp), sizeof rsdp);
  rsdp.checksum = checksum(bytes.first(kFirstVersionLength));
  rsdp.extended_checksum = checksum(bytes);
  return rsdp;
}

}  // namespace

std::span<const u8> dsdt() { return {pileus_dsdt, pileus_dsdt_end}; }

std::vector<u8> build_acpi_tables(u64 base, const AcpiBoard& board) {
  CHECK(board.cpu_count >= 1 && board.cpu_count <= kMaxCpus && base % 64 == 0 && base < kLocalApic);
  std::vector<u8> block(sizeof(Rsdp));
  const auto place = [&](std::span<const u8> table) {
    block.resize(align_up(block.size(), 64));
    const u64 address = base + block.size();
    block.insert(block.end(), table.begin(), table.end());
    return address;
  };
  const u64 dsdt_address = place(dsdt());
  std::optional<u64> facs_address;
  if (board.legacy_devices) facs_address = place(build_facs());
  const std::array<u64, 3> tables{place(build_fadt(dsdt_address, facs_address)), place(build_madt(board)),
                                  place(build_mcfg())};
  const Rsdp rsdp = build_rsdp(place(build_xsdt(tables)));
  std::memcpy(block.data(), &rsdp, sizeof rsdp);
  return block;
}

}  // namespace pileus::machine
