// Bios: a PC's firmware instead of a kernel: SeaBIOS, told of the machine through FwCfg, starts what the disks say.
//
// The image is put where a PC shadows it, below 1 MiB, as RAM, and once more as ROM below 4 GiB, from where SeaBIOS
// restores itself before a reset. ACPI tables lie at the end of low RAM, reserved; SeaBIOS is told to make the RSDP alone.
// SMBIOS tables it takes as they are, and finds a place for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/cpu_state.h"
#include "guest/bus.h"
#include "guest/memory.h"
#include "machine/firmware/debug_port.h"
#include "machine/firmware/fw_cfg.h"
#include "machine/loader/bytes.h"
#include "machine/smbios/tables.h"

namespace pileus::machine {

struct BiosBoard {
  u32 cpu_count = 1;
  std::vector<std::string> boot_order;  // device paths as Open Firmware has them, in the order in which they are tried
  SmbiosBoard smbios;
};

// Such paths, as SeaBIOS compares them: what is behind a PCI device.
std::string virtio_disk_path(unsigned slot);
std::string virtio_cd_path(unsigned slot);
std::string sata_path(unsigned slot, u32 port);

class Bios {
 public:
  // Errors: the image is no PC firmware of 64, 128 or 256 KiB.
  static Result<std::unique_ptr<Bios>> create(std::vector<u8> image, guest::GuestMemory& memory,
                                              const BiosBoard& board);
  Result<> add_to(guest::Bus& mmio, guest::Bus& ports);

  // Writes image and tables to RAM; gives the state in which CPU 0 starts: 16 bytes before the end of the first MiB.
  engine::CpuState load();

 private:
  class Rom : public guest::BusDevice {
   public:
    explicit Rom(Bytes bytes) : bytes_(bytes) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 /*offset*/, unsigned /*size*/, u64 /*value*/) override {}

   private:
    const Bytes bytes_;
  };

  Bios(std::vector<u8> image, guest::GuestMemory& memory, const BiosBoard& board);
  void add_files(const BiosBoard& board);

  const std::vector<u8> image_;
  guest::GuestMemory& memory_;
  const u32 cpu_count_;
  const u64 tables_;  // where the ACPI tables lie
  Rom rom_{image_};
  FwCfg fw_cfg_;
  DebugPort debug_;
};

}  // namespace pileus::machine
