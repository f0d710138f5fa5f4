#include "machine/smbios/tables.h"

#include <cstddef>
#include <cstring>
#include <numeric>
#include <span>
#include <string>

namespace pileus::machine {

namespace {

// A string of a structure: 0 for none, else its place, from 1 on, among those that follow it (6.1.3).
using StringNumber = u8;

// 6.1.2: in front of every structure.
struct [[gnu::packed]] Header {
  u8 type;
  u8 length;
  u16 handle;
};
static_assert(sizeof(Header) == 4);

// 5.2.2.
struct [[gnu::packed]] EntryPoint {
  char anchor[5];
  u8 checksum;
  u8 length;
  u8 major_version, minor_version, document_revision;
  u8 revision;
  u8 reserved;
  u32 most_bytes;
  u64 structures;
};
static_assert(sizeof(EntryPoint) == 24);

// 7.1.
struct [[gnu::packed]] BiosInformation {
  Header header;
  StringNumber vendor, version;
  u16 start_segment;
  StringNumber release_date;
  u8 rom_size;
  u64 characteristics;
  u8 extension[2];
  u8 major_release, minor_release;
  u8 controller_major_release, controller_minor_release;
};
static_assert(sizeof(BiosInformation) == 0x18);

// 7.2.
struct [[gnu::packed]] SystemInformation {
  Header header;
  StringNumber manufacturer, product, version, serial;
  Uuid uuid;
  u8 wake_up;
  StringNumber sku, family;
};
static_assert(sizeof(SystemInformation) == 0x1B);

// 7.3.
struct [[gnu::packed]] Baseboard {
  Header header;
  StringNumber manufacturer, product, version, serial, asset_tag;
  u8 features;
  StringNumber location;
  u16 chassis;
  u8 type;
  u8 contained;
};
static_assert(sizeof(Baseboard) == 0x0F);

// 7.4.
struct [[gnu::packed]] Chassis {
  Header header;
  StringNumber manufacturer;
  u8 type;
  StringNumber version, serial, asset_tag;
  u8 boot_up_state, power_state, thermal_state, security;
  u32 oem;
  u8 height, power_cords, contained, contained_length;
  StringNumber sku;
};
static_assert(sizeof(Chassis) == 0x16);

// 7.5.
struct [[gnu::packed]] Processor {
  Header header;
  StringNumber socket;
  u8 type, family;
  StringNumber manufacturer;
  u64 id;
  StringNumber version;
  u8 voltage;
  u16 external_clock, max_speed, current_speed;
  u8 status, upgrade;
  u16 level1_cache, level2_cache, level3_cache;
  StringNumber serial, asset_tag, part;
  u8 cores, enabled_cores, threads;
  u16 characteristics, family2, cores2, enabled_cores2, threads2;
};
static_assert(sizeof(Processor) == 0x30);

// 7.12.
struct [[gnu::packed]] OemStrings {
  Header header;
  u8 count;
};
static_assert(sizeof(OemStrings) == 5);

// 7.17.
struct [[gnu::packed]] MemoryArray {
  Header header;
  u8 location, use, error_correction;
  u32 most_kib;
  u16 error;
  u16 devices;
  u64 most_bytes;
};
static_assert(sizeof(MemoryArray) == 0x17);

// 7.18.
struct [[gnu::packed]] MemoryDevice {
  Header header;
  u16 array, error, total_width, data_width, mib;
  u8 form, set;
  StringNumber locator, bank;
  u8 type;
  u16 type_detail, speed;
  StringNumber manufacturer, serial, asset_tag, part;
  u8 attributes;
  u32 more_mib;
  u16 configured_speed, least_voltage, most_voltage, configured_voltage;
};
static_assert(sizeof(MemoryDevice) == 0x28);

// 7.20.
struct [[gnu::packed]] MappedAddress {
  Header header;
  u32 first_kib, last_kib;
  u16 array;
  u8 width;
  u64 first_byte, last_byte;
};
static_assert(sizeof(MappedAddress) == 0x1F);

// 7.33.
struct [[gnu::packed]] BootInformation {
  Header header;
  u8 reserved[6];
  u8 status;
};
static_assert(sizeof(BootInformation) == 0x0B);

enum Handle : u16 {
  kBios = 0x0000,
  kSystem = 0x0100,
  kBoard = 0x0200,
  kChassis = 0x0300,
  kProcessor = 0x0400,
  kNote = 0x0B00,
  kArray = 0x1000,
  kDevice = 0x1100,
  kFirstMapping = 0x1300,  // one for each range of RAM
  kBoot = 0x2000,
  kEnd = 0x7F00,
};
constexpr u16 kNoHandle = 0xFFFF, kNoErrorInformation = 0xFFFE;
constexpr u8 kSafe = 3;
// A guest may call a computer with a BIOS of the last century too old for ACPI.
constexpr const char* kBiosDate = "01/01/2026";
constexpr const char* kBiosVersion = "1.0";

// The block of structures in the making: each is its struct, then its strings, then a zero.
class Structures {
 public:
  // The number by which the structure that is added next names `text`.
  StringNumber string(const std::string& text) {
    if (text.empty()) return 0;
    strings_ += text + '\0';
    return ++count_;
  }

  template <typename T>
  void add(u8 type, u16 handle, T structure) {
    structure.header = {type, sizeof structure, handle};
    const auto* data = reinterpret_cast<const u8*>(&structure);
    bytes_.insert(bytes_.end(), data, data + sizeof structure);
    if (strings_.empty()) strings_ += '\0';
    strings_ += '\0';
    bytes_.insert(bytes_.end(), strings_.begin(), strings_.end());
    strings_.clear();
    count_ = 0;
  }

  std::vector<u8> take() { return std::move(bytes_); }

 private:
  std::vector<u8> bytes_;
  std::string strings_;
  StringNumber count_ = 0;
};

// 7.2.1: the first three groups are little-endian.
Uuid as_stored(const Uuid& uuid) {
  return {uuid[3], uuid[2], uuid[1],  uuid[0],  uuid[5],  uuid[4],  uuid[7],  uuid[6],
          uuid[8], uuid[9], uuid[10], uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]};
}

void add_firmware(Structures& out, const SystemIdentity& identity) {
  constexpr u8 kNoCharacteristics = 1 << 3, kVirtualMachine = 1 << 4, kNoController = 0xFF;
  BiosInformation bios{};
  bios.vendor = out.string(identity.manufacturer);
  bios.version = out.string(kBiosVersion);
  bios.start_segment = 0xF000;
  bios.release_date = out.string(kBiosDate);
  bios.characteristics = kNoCharacteristics;
  bios.extension[1] = kVirtualMachine;
  bios.major_release = 1;
  bios.controller_major_release = bios.controller_minor_release = kNoController;
  out.add(0, kBios, bios);
}

void add_system(Structures& out, const SystemIdentity& identity) {
  constexpr u8 kPowerSwitch = 6;
  SystemInformation system{};
  system.manufacturer = out.string(identity.manufacturer);
  system.product = out.string(identity.product);
  system.serial = out.string(identity.serial);
  system.uuid = as_stored(identity.uuid);
  system.wake_up = kPowerSwitch;
  out.add(1, kSystem, system);
}

void add_case(Structures& out, const SystemIdentity& identity) {
  constexpr u8 kHosting = 1, kMotherboard = 0x0A, kOther = 1, kUnknown = 2;
  Baseboard board{};
  board.manufacturer = out.string(identity.manufacturer);
  board.asset_tag = out.string(identity.asset_tag);
  board.features = kHosting;
  board.chassis = kChassis;
  board.type = kMotherboard;
  out.add(2, kBoard, board);

  Chassis chassis{};
  chassis.manufacturer = out.string(identity.manufacturer);
  chassis.type = kOther;
  chassis.asset_tag = out.string(identity.manufacturer);
  chassis.boot_up_state = chassis.power_state = chassis.thermal_state = kSafe;
  chassis.security = kUnknown;
  chassis.power_cords = 1;
  out.add(3, kChassis, chassis);
}

// One socket, with all CPUs as its cores. What they are, CPUID says.
void add_processor(Structures& out, u32 cpu_count) {
  constexpr u8 kCentral = 3, kOther = 1, kPopulatedAndEnabled = 0x41;
  constexpr u16 k64Bit = 1 << 2;
  Processor processor{};
  processor.socket = out.string("CPU 0");
  processor.type = kCentral;
  processor.family = kOther;
  processor.status = kPopulatedAndEnabled;
  processor.upgrade = kOther;
  processor.level1_cache = processor.level2_cache = processor.level3_cache = kNoHandle;
  processor.cores = processor.enabled_cores = processor.threads = static_cast<u8>(cpu_count);
  processor.cores2 = processor.enabled_cores2 = processor.threads2 = static_cast<u16>(cpu_count);
  processor.characteristics = k64Bit;
  processor.family2 = kOther;
  out.add(4, kProcessor, processor);
}

void add_memory(Structures& out, const std::vector<RamRange>& ram) {
  constexpr u8 kOther = 1, kSystemMemory = 3, kNoCorrection = 3, kDimm = 9, kRam = 7;
  constexpr u32 kSeeBytes = 0x80000000, kSeeFirstByte = 0xFFFFFFFF;
  constexpr u16 kSeeMore = 0x7FFF, kUnknownWidth = 0xFFFF, kOtherDetail = 1 << 1;
  u64 size = 0;
  for (const RamRange& range : ram) size += range.end - range.start;

  MemoryArray array{};
  array.location = kOther;
  array.use = kSystemMemory;
  array.error_correction = kNoCorrection;
  array.most_kib = kSeeBytes;
  array.error = kNoErrorInformation;
  array.devices = 1;
  array.most_bytes = size;
  out.add(16, kArray, array);

  MemoryDevice device{};
  device.array = kArray;
  device.error = kNoErrorInformation;
  device.total_width = device.data_width = kUnknownWidth;
  const u64 mib = size / kMiB;
  device.mib = mib < kSeeMore ? static_cast<u16>(mib) : kSeeMore;
  device.more_mib = mib < kSeeMore ? 0 : static_cast<u32>(mib);
  device.form = kDimm;
  device.locator = out.string("DIMM 0");
  device.type = kRam;
  device.type_detail = kOtherDetail;
  out.add(17, kDevice, device);

  u16 handle = kFirstMapping;
  for (const RamRange& range : ram) {
    MappedAddress mapped{};
    mapped.first_kib = kSeeFirstByte;
    mapped.last_kib = kSeeFirstByte;
    mapped.first_byte = range.start;
    mapped.last_byte = range.end - 1;
    mapped.array = kArray;
    mapped.width = 1;
    out.add(19, handle++, mapped);
  }
}

struct [[gnu::packed]] EndOfTable {
  Header header;
};

EntryPoint entry_point(u64 address, std::size_t bytes) {
  EntryPoint entry{};
  std::memcpy(entry.anchor, "_SM3_", sizeof entry.anchor);
  entry.length = sizeof entry;
  entry.major_version = 3;
  entry.revision = 1;
  entry.most_bytes = static_cast<u32>(bytes);
  entry.structures = address;
  const std::span<const u8> all(reinterpret_cast<const u8*>(&entry), sizeof entry);
  entry.checksum = static_cast<u8>(-std::accumulate(all.begin(), all.end(), 0));
  return entry;
}

}  // namespace

SmbiosTables build_smbios(u64 structures_address, const SmbiosBoard& board) {
  Structures out;
  add_firmware(out, board.identity);
  add_system(out, board.identity);
  add_case(out, board.identity);
  add_processor(out, board.cpu_count);
  if (const StringNumber note = out.string(board.identity.note))
    out.add(11, kNote, OemStrings{.header = {}, .count = note});
  add_memory(out, board.ram);
  out.add(32, kBoot, BootInformation{});
  out.add(127, kEnd, EndOfTable{});
  SmbiosTables tables;
  tables.structures = out.take();
  const EntryPoint entry = entry_point(structures_address, tables.structures.size());
  const auto* data = reinterpret_cast<const u8*>(&entry);
  tables.entry_point.assign(data, data + sizeof entry);
  return tables;
}

}  // namespace pileus::machine
