#include "machine/acpi/tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "machine/layout.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {
namespace {

u8 sum(Bytes bytes) { return static_cast<u8>(std::accumulate(bytes.begin(), bytes.end(), 0u)); }

// The table at physical `address`, its checksum verified.
Bytes table_at(Bytes block, u64 address) {
  const u64 offset = address - kAcpiTables;
  const u32 length = load<u32>(block, offset + 4).value_or(0);
  const auto table = slice(block, offset, length);
  EXPECT_TRUE(table.has_value());
  EXPECT_EQ(sum(*table), 0);
  return *table;
}

std::string signature(Bytes table) { return {table.begin(), table.begin() + 4}; }

Bytes find_table(Bytes block, const std::string& name) {
  const Bytes xsdt = table_at(block, *load<u64>(block, 24));
  EXPECT_EQ(signature(xsdt), "XSDT");
  for (u64 offset = 36; offset < xsdt.size(); offset += 8) {
    const Bytes table = table_at(block, *load<u64>(xsdt, offset));
    if (signature(table) == name) return table;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

// Whether the AML has `value` as a little-endian T somewhere: resource descriptors hold their
// numbers that way.
template <typename T>
bool dsdt_has(T value) {
  const auto* bytes = reinterpret_cast<const u8*>(&value);
  return std::search(dsdt().begin(), dsdt().end(), bytes, bytes + sizeof value) != dsdt().end();
}

TEST(AcpiTables, RootPointerAndChecksums) {
  const std::vector<u8> block = build_acpi_tables(kAcpiTables, {4, false});
  EXPECT_EQ(std::string(block.begin(), block.begin() + 8), "RSD PTR ");
  EXPECT_EQ(sum(Bytes(block).first(20)), 0);
  EXPECT_EQ(sum(Bytes(block).first(36)), 0);
}

TEST(AcpiTables, FadtIsHardwareReducedAndPointsToTheDsdt) {
  const std::vector<u8> block = build_acpi_tables(kAcpiTables, {1, false});
  const Bytes fadt = find_table(block, "FACP");
  EXPECT_EQ(fadt.size(), 276u);
  EXPECT_NE(*load<u32>(fadt, 112) & 1 << 20, 0u);  // HW_REDUCED_ACPI
  EXPECT_NE(*load<u32>(fadt, 112) & 1 << 10, 0u);  // RESET_REG_SUP
  EXPECT_EQ(*load<u64>(fadt, 120), kPortPower + 2u);
  EXPECT_EQ(signature(table_at(block, *load<u64>(fadt, 140))), "DSDT");
  EXPECT_EQ(*load<u64>(fadt, 248), kPortPower);
}

TEST(AcpiTables, WithLegacyDevicesTheFixedHardwareIsThere) {
  const std::vector<u8> block = build_acpi_tables(kAcpiTables, {1, true});
  const Bytes fadt = find_table(block, "FACP");
  EXPECT_EQ(*load<u32>(fadt, 112) & 1 << 20, 0u);         // HW_REDUCED_ACPI
  EXPECT_NE(*load<u32>(fadt, 112) & 1 << 8, 0u);          // TMR_VAL_EXT
  EXPECT_EQ(*load<u16>(fadt, 46), kIrqSci);
  EXPECT_EQ(*load<u32>(fadt, 56), kPortAcpiPm);
  EXPECT_EQ(*load<u32>(fadt, 64), kPortAcpiPm + 4u);
  EXPECT_EQ(*load<u32>(fadt, 76), kPortAcpiPm + 8u);
  EXPECT_EQ(*load<u64>(fadt, 212), kPortAcpiPm + 8u);
  EXPECT_EQ(signature(table_at(block, *load<u32>(fadt, 40))), "DSDT");
  const u64 facs = *load<u32>(fadt, 36) - kAcpiTables;
  EXPECT_EQ(signature(Bytes(block).subspan(facs, 64)), "FACS");
  EXPECT_EQ(facs % 64, 0u);
  const Bytes madt = find_table(block, "APIC");
  ASSERT_EQ(madt.size(), 44u + 8 + 12 + 2 * 10);
  EXPECT_EQ(*load<u32>(madt, 40), 1u);
  EXPECT_EQ(*load<u32>(madt, 64 + 4), kGsiTimer);
  EXPECT_EQ(*load<u16>(madt, 74 + 8), 0xDu);
}

TEST(AcpiTables, MadtListsCpusAndIoapic) {
  const std::vector<u8> block = build_acpi_tables(kAcpiTables, {3, false});
  const Bytes madt = find_table(block, "APIC");
  ASSERT_EQ(madt.size(), 44u + 3 * 8 + 12);
  EXPECT_EQ(*load<u32>(madt, 40), 0u);
  for (u64 cpu = 0; cpu < 3; ++cpu) EXPECT_EQ(madt[44 + cpu * 8 + 3], cpu);
  EXPECT_EQ(*load<u32>(madt, 44 + 24 + 4), kIoapic);
}

TEST(AcpiTables, McfgNamesTheEcam) {
  const std::vector<u8> block = build_acpi_tables(kAcpiTables, {1, false});
  const Bytes mcfg = find_table(block, "MCFG");
  EXPECT_EQ(*load<u64>(mcfg, 44), kEcam);
  EXPECT_EQ(mcfg[54], 0);
  EXPECT_EQ(mcfg[55], kEcamSize / kMiB - 1);
}

TEST(AcpiTables, DsdtAgreesWithTheLayout) {
  EXPECT_TRUE(dsdt_has(static_cast<u32>(kEcam)));
  EXPECT_TRUE(dsdt_has(static_cast<u32>(kEcamSize)));
  EXPECT_TRUE(dsdt_has(static_cast<u32>(kPciMemory32)));
  EXPECT_TRUE(dsdt_has(static_cast<u32>(kPciMemory32 + kPciMemory32Size - 1)));
  EXPECT_TRUE(dsdt_has(static_cast<u32>(kPciMemory32Size)));
  EXPECT_TRUE(dsdt_has(kPciMemory64));
  EXPECT_TRUE(dsdt_has(kPciMemory64 + kPciMemory64Size - 1));
  EXPECT_TRUE(dsdt_has(kPciMemory64Size));
  EXPECT_TRUE(dsdt_has(kPortSerial));
  EXPECT_TRUE(dsdt_has(kPortPower));
  EXPECT_TRUE(dsdt_has(kGsiSerial));
  EXPECT_TRUE(dsdt_has(kGsiPowerButton));
  EXPECT_TRUE(dsdt_has(kGsiSlots));
  EXPECT_TRUE(dsdt_has(kPortSlots));
}

TEST(AcpiTables, FitForTheMostCpus) {
  EXPECT_LE(build_acpi_tables(kAcpiTables, {kMaxCpus, false}).size(), kAcpiTablesEnd - kAcpiTables);
}

}  // namespace
}  // namespace pileus::machine
