#include "seeds.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "debug/gdb/packet.h"
#include "debug/testing/kallsyms_image.h"
#include "machine/testing/kernels.h"
#include "machine/testing/packers.h"
#include "store/chain.h"
#include "store/manifest.h"

namespace pileus::fuzz {

namespace {

using machine::testing::put;

constexpr u64 kSector = 512;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

u32 crc(const Bytes& bytes, u64 offset, u64 size) {
  return static_cast<u32>(::crc32(0, bytes.data() + offset, static_cast<uInt>(size)));
}

// fuzz_queue's header, then RAM with 8 descriptors: a chain of two, one with an indirect table, a spare.
Bytes make_queue(u16 features) {
  constexpr u64 kHeader = 10;
  constexpr u16 kTable = 0, kAvailable = 0x100, kUsed = 0x200;
  constexpr u64 kIndirectTable = 0x300, kData = 0x400;
  Bytes bytes;
  u64 at = 0;
  for (const u16 field : {u16{3}, features, kTable, kAvailable, kUsed}) put(bytes, 2 * at++, field);
  const auto descriptor = [&](u64 where, u64 address, u32 length, u16 flags, u16 next) {
    put(bytes, kHeader + where, address);
    put(bytes, kHeader + where + 8, length);
    put(bytes, kHeader + where + 12, flags);
    put(bytes, kHeader + where + 14, next);
  };
  descriptor(kTable, kData, 16, 1, 1);                // readable, goes on
  descriptor(kTable + 16, kData + 16, 512, 2, 0);     // writable, ends
  descriptor(kTable + 32, kIndirectTable, 32, 4, 0);  // a table of two
  descriptor(kIndirectTable, kData, 8, 1, 1);
  descriptor(kIndirectTable + 16, kData + 64, 64, 2, 0);
  put(bytes, kHeader + kAvailable + 2, u16{2});  // two chains: heads 0 and 2
  put(bytes, kHeader + kAvailable + 4, u16{0});
  put(bytes, kHeader + kAvailable + 6, u16{2});
  put(bytes, kHeader + kData + 1024, u64{0});
  return bytes;
}

void put_gpt_header(Bytes& disk, u64 lba, u64 other, u64 table) {
  const u64 base = lba * kSector;
  const std::string_view magic = "EFI PART";
  std::copy(magic.begin(), magic.end(), disk.begin() + static_cast<std::ptrdiff_t>(base));
  put(disk, base + 8, u32{0x10000});
  put(disk, base + 12, u32{92});
  put(disk, base + 24, lba);
  put(disk, base + 32, other);
  put(disk, base + 72, table);
  put(disk, base + 80, u32{4});
  put(disk, base + 84, u32{128});
  put(disk, base + 88, crc(disk, table * kSector, 4 * 128));
  put(disk, base + 16, crc(disk, base, 92));
}

Bytes make_gpt() {
  constexpr u64 kSectors = 64;
  Bytes disk(kSectors * kSector);
  put(disk, 446 + 4, u8{0xEE});
  put(disk, 510, u16{0xAA55});
  for (const u64 table : {u64{2}, kSectors - 2}) {
    const u64 entry = table * kSector;
    for (u64 i = 0; i < 32; ++i) put(disk, entry + i, static_cast<u8>(i + 1));
    put(disk, entry + 32, u64{8});
    put(disk, entry + 40, u64{40});
  }
  put_gpt_header(disk, 1, kSectors - 1, 2);
  put_gpt_header(disk, kSectors - 1, 1, kSectors - 2);
  return disk;
}

void put_mbr_entry(Bytes& disk, u64 sector, u64 slot, u8 type, u32 first, u32 count) {
  const u64 base = sector * kSector + 446 + 16 * slot;
  put(disk, base + 4, type);
  put(disk, base + 8, first);
  put(disk, base + 12, count);
  put(disk, sector * kSector + 510, u16{0xAA55});
}

Bytes make_mbr(bool logical) {
  constexpr u8 kLinux = 0x83, kExtended = 0x05;
  Bytes disk(32 * kSector);
  put_mbr_entry(disk, 0, 0, kLinux, 1, 4);
  if (!logical) return disk;
  put_mbr_entry(disk, 0, 1, kExtended, 8, 16);
  put_mbr_entry(disk, 8, 0, kLinux, 1, 4);
  put_mbr_entry(disk, 8, 1, kExtended, 8, 8);  // relative to the extended partition
  put_mbr_entry(disk, 16, 0, kLinux, 1, 4);
  return disk;
}

constexpr std::string_view kGrubConfig = R"(
if [ -s $prefix/grubenv ]; then load_env; fi
if [ "${next_entry}" ] ; then set default="${next_entry}"; else set default="1>0"; fi
function savedefault { saved_entry="${chosen}"; }
menuentry 'One' --class os $menuentry_id_option 'one-id' {
	search --no-floppy --fs-uuid --set=root 0123
	linux /boot/vmlinuz root=UUID=0123 ro "quoted=a b" \
	      console=ttyS0
	initrd /boot/early.img /boot/initrd.img
}
submenu "Two" { menuentry Three { linux ($root)/vmlinuz; } }
)";

constexpr std::string_view kLoaderEntry =
    "title Four\nversion 6.1\nlinux /vmlinuz-6.1\ninitrd /initrd-6.1 $tuned\noptions root=/dev/vda1 $kernelopts\n";

constexpr std::string_view kEnvironment = "# GRUB Environment Block\nsaved_entry=one-id\nkernelopts=quiet\n######\n";

}  // namespace

std::vector<Bytes> manifest_seeds() {
  using enum store::ClusterState;
  const store::Manifest raw{true, 0, 2 * store::kCluster, {kZero, kData}, {store::Hash{1}}};
  const store::Manifest over{false,
                             store::kCluster,
                             4 * store::kCluster + 512,
                             {kBelow, kZero, kData, kData, kBelow},
                             {store::Hash{2}, store::Hash{3}}};
  return {bytes_of(store::encode_manifest(raw)), bytes_of(store::encode_manifest(over))};
}

std::vector<Bytes> chain_seeds() {
  return {
      bytes_of(store::encode_chain({{{"/base.raw", true}, {"disk.1.overlay", false}}, "disk.2.overlay", {{"a", 1}}}))};
}

std::vector<Bytes> disk_report_seeds() {
  return {
      bytes_of(
          R"({"virtual-size": 512, "filename": "/input", "format": "vmdk", "format-specific": {"type": "vmdk", "data":
          {"extents": [{"virtual-size": 512, "filename": "/input"}]}}, "dirty-flag": false})"),
      bytes_of(R"({"virtual-size": 512, "encrypted": true, "format-specific": {"data": {"data-file": "/x"}}})"),
      bytes_of(R"({"virtual-size": 512, "backing-filename": "/x"})")};
}

// fuzz_scsi's header, then a request to the drive: an INQUIRY, a read of two sectors, a table of contents.
std::vector<Bytes> scsi_seeds() {
  std::vector<Bytes> seeds;
  for (const Bytes& command : {Bytes{0x12, 0, 0, 0, 36, 0}, Bytes{0x28, 0, 0, 0, 0, 1, 0, 0, 2, 0},
                               Bytes{0x43, 2, 0, 0, 0, 0, 0, 0, 255, 0}}) {
    Bytes seed{2, 0, 0, 0x20, 1, 0, 0x40};
    seed.resize(4 + 19);
    seed.insert(seed.end(), command.begin(), command.end());
    seed.resize(4 + 19 + 32);
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

// fuzz_port's steps, by which a driver starts the list at 0x400 and issues slot 0; its command; and a table with one region of
// 4 KiB. Commands: IDENTIFY, a read by DMA and a queued one, a TRIM; packets of a CD drive.
std::vector<Bytes> sata_seeds() {
  constexpr std::size_t kList = 0x400, kTable = 0x800;
  constexpr u8 kClb = 0, kFb = 2, kCmd = 6, kSact = 13, kCi = 14;
  const auto make = [&](u8 kind, const Bytes& fis, const Bytes& packet) {
    Bytes seed{kind, 6};
    for (const Bytes& step : {Bytes{kClb, 0, 4, 0, 0}, Bytes{kFb, 0, 12, 0, 0}, Bytes{kCmd, 0x10, 0, 0, 0},
                              Bytes{kCmd, 0x11, 0, 0, 0}, Bytes{kSact, 1, 0, 0, 0}, Bytes{kCi, 1, 0, 0, 0}}) {
      seed.insert(seed.end(), step.begin(), step.end());
    }
    Bytes memory(kTable + 0x90);
    memory[kList] = 5;
    memory[kList + 2] = 1;
    memory[kList + 9] = kTable >> 8;
    std::ranges::copy(fis, memory.begin() + kTable);
    std::ranges::copy(packet, memory.begin() + kTable + 0x40);
    memory[kTable + 0x81] = 0x10;
    memory[kTable + 0x8C] = 0xFF;
    memory[kTable + 0x8D] = 0x0F;
    seed.insert(seed.end(), memory.begin(), memory.end());
    return seed;
  };
  constexpr u8 kFis = 0x27, kCommand = 0x80, kLba = 0x40;
  return {make(0, {kFis, kCommand, 0xEC}, {}),
          make(0, {kFis, kCommand, 0x25, 0, 7, 0, 0, kLba, 0, 0, 0, 0, 2}, {}),
          make(0, {kFis, kCommand, 0x60, 2, 7, 0, 0, kLba}, {}),
          make(0, {kFis, kCommand, 0x06, 1, 0, 0, 0, kLba, 0, 0, 0, 0, 1}, {}),
          make(1, {kFis, kCommand, 0xA0, 1}, {0x28, 0, 0, 0, 0, 1, 0, 0, 2, 0}),
          make(1, {kFis, kCommand, 0xA0, 1}, {0x12, 0, 0, 0, 36, 0})};
}

std::vector<Bytes> queue_seeds() {
  std::vector<Bytes> seeds;
  for (const u16 features : {u16{0}, u16{1}, u16{2}, u16{3}}) seeds.push_back(make_queue(features));
  return seeds;
}

// An ELF file, and a flat one with addresses in its header.
std::vector<Bytes> multiboot_seeds() {
  Bytes flat(48);
  constexpr u32 kMagic = 0x1BADB002, kFlags = 0x10003, kBase = 0x200000;
  machine::testing::put(
      flat, 0,
      std::array<u32, 8>{kMagic, kFlags, 0u - kMagic - kFlags, kBase, kBase, kBase + 40, kBase + 100, kBase + 32});
  return {machine::testing::make_multiboot(), flat};
}

std::vector<Bytes> elf_seeds() { return {machine::testing::make_elf()}; }

std::vector<Bytes> bzimage_seeds() {
  std::vector<Bytes> seeds;
  const Bytes kernel = machine::testing::make_elf("a kernel, a kernel, a kernel, a kernel");
  for (const auto& packer : machine::testing::kPackers) {
    seeds.push_back(machine::testing::make_bzimage(packer.pack(kernel)));
  }
  return seeds;
}

std::vector<Bytes> disk_seeds() { return {make_gpt(), make_mbr(false), make_mbr(true)}; }

std::vector<Bytes> grub_seeds() { return {bytes_of(kGrubConfig), bytes_of(kLoaderEntry), bytes_of(kEnvironment)}; }

std::vector<Bytes> gdb_seeds() {
  std::string greeting, session;
  for (const char* packet :
       {"qSupported:multiprocess+;swbreak+", "vMustReplyEmpty", "QStartNoAckMode", "Hg0",
        "qXfer:features:read:target.xml:0,ffb", "qTStatus", "?", "qfThreadInfo", "qsThreadInfo", "qAttached", "g"}) {
    greeting += debug::gdb::encode_packet(packet) + "+";
  }
  for (const char* packet :
       {"Z0,1000,1", "Z2,2000,8", "vCont;s:1;c", "p10", "P10=0010000000000000", "m1000,40", "M1000,2:0102", "X1000,1:a",
        "z0,1000,1", "vCont;c:p1.-1", "Hc-1", "T2", "qThreadExtraInfo,2", "D"}) {
    session += debug::gdb::encode_packet(packet) + "\x03";
  }
  return {bytes_of(greeting), bytes_of(session)};
}

std::vector<Bytes> kallsyms_seeds() {
  using debug::testing::KallsymsLayout;
  std::vector<Bytes> seeds;
  for (const KallsymsLayout layout :
       {KallsymsLayout::kPlain, KallsymsLayout::kWithOrder, KallsymsLayout::kOffsetsLast}) {
    seeds.push_back(debug::testing::KallsymsImage(300).image(layout));
  }
  return seeds;
}

// CR3 and an address, then tables of which each has one entry for it.
std::vector<Bytes> page_table_seeds() {
  Bytes bytes;
  put(bytes, 0, u64{0x1000});
  put(bytes, 8, u64{0xFFFFFFFF81000FF0});
  put(bytes, 0x1000 + 511 * 8, u64{0x2003});
  put(bytes, 0x2000 + 510 * 8, u64{0x3003});
  put(bytes, 0x3000 + 8 * 8, u64{0x4003});
  put(bytes, 0x4000, u64{0x5003});
  put(bytes, 0x4000 + 8, u64{0x6003});
  return {bytes};
}

std::vector<Bytes> canary_seeds() { return {{3, 10, 20, 30}}; }

}  // namespace pileus::fuzz
