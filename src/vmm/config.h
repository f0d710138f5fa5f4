// VmConfig: everything that is fixed about one VM; the file config.json in its folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "engine/cpu_model.h"
#include "machine/disk.h"
#include "vmm/units.h"

namespace pileus::vmm {

enum class EngineChoice { kAuto, kBt, kKvm };
const char* engine_name(EngineChoice engine);
Result<EngineChoice> parse_engine(std::string_view text);
const char* disk_bus_name(machine::DiskBus bus);
Result<machine::DiskBus> parse_disk_bus(std::string_view text);

// What the computer says of itself in its SMBIOS tables.
struct SystemTexts {
  std::string manufacturer{"Pileus"};
  std::string product{"Virtual Machine"};
  std::string serial;     // may be empty
  std::string asset_tag;  // may be empty
  std::string note;       // an OEM string; may be empty
  std::string uuid;       // empty: none
};

struct VmConfig {
  std::string name;
  std::string image;      // name in the library; empty when the disk was given as a file
  std::string base_disk;  // absolute path; never written to
  // Of a disk (store/disk_folder.h) to boot from, absolute; empty: the VM's own folder has one over base_disk.
  std::string disk_folder;
  std::string disk_id;    // what the guest reads as its disk's id; empty: "disk0"
  u64 disk_bytes = 0;     // of the guest's disk, at least the base's
  u64 memory_bytes = 0;
  u32 cpu_count = 1;
  EngineChoice engine = EngineChoice::kAuto;
  bool paravirt = true;
  bool direct = true;
  std::string cpu_model{engine::kDefaultCpuModel};
  std::vector<PortForward> forwards;
  bool ssh_port_chosen = false;  // the forward to port 22 was picked by us, and may be picked anew
  std::string kernel;            // absolute paths; empty: boot what the disk says
  std::string initrd;
  std::vector<std::string> modules;  // of a Multiboot kernel: a path, then what the kernel is told beside it
  bool legacy_devices = false;       // 8259A, 8254, fixed ACPI hardware, interrupts of the clock
  std::string firmware;              // path of a BIOS to start instead of a kernel; may be empty
  std::string cdrom;                 // path of a CD image in a CD drive; may be empty: no such drive
  machine::DiskBus disk_bus = machine::DiskBus::kVirtio;
  bool exit_port = false;            // a write to port 0xF4 ends the VM with that code
  std::string append;
  std::string login_user;
  std::string identity_file;  // private key for `pileus vm ssh`; may be empty
  u64 translation_cache_bytes = 128 * kMiB;
  std::string translation_cache_file;  // absolute path; empty: translations end with the VMM
  bool restrict_network = false;  // the guest reaches nothing; forwards lead to it all the same
  // Of the network card, "02:00:00:00:00:01"; empty: the usual one.
  std::string mac;
  // The socket of a port of the virtual switch, which then carries out `forwards` too; empty: a user network of its own.
  std::string switch_port;
  SystemTexts system;

  // The host's port that leads to the guest's port 22; 0: none.
  u16 ssh_port() const;
};

inline constexpr u64 kMinMemory = 32 * kMiB;
inline constexpr u64 kMaxMemory = 252 * kGiB;
inline constexpr u32 kMaxCpus = 254;
inline constexpr u64 kMinTranslationCache = 8 * kMiB;
inline constexpr u64 kMaxTranslationCache = 2 * kGiB;

std::string encode_config(const VmConfig& config);
// Refuses what check() refuses. A field that came with a later version may be absent, and unknown ones are ignored.
Result<VmConfig> parse_config(std::string_view text);
// What holds on every host: ranges, alignment, forwards that do not collide.
Result<> check(const VmConfig& config);
// What depends on this host: memory that it has, an engine that it can run.
Result<> check_host(const VmConfig& config);

}  // namespace pileus::vmm
