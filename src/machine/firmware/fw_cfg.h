// FwCfg: by which SeaBIOS learns what machine it is on (QEMU: docs/specs/fw_cfg.rst), ports only, without DMA. What is
// offered is fixed before the guest runs; the guest can read it and no more.
//
//   0x510: write a key, 2 bytes    0x511: read the next byte of that item; all zeros behind its end
//   Keys 0x0000 "QEMU", 0x0001 revision, 0x0005 number of CPUs, 0x000F greatest number of CPUs, 0x0019 the directory
//   directory = count {size key reserved name}: numbers big-endian, a name 56 bytes with its NUL
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "guest/bus.h"

namespace pileus::machine {

class FwCfg : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 2;

  explicit FwCfg(u32 cpu_count);

  // At most 55 characters of name; before the guest runs.
  void add_file(std::string_view name, std::vector<u8> bytes);
  void reset();

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;

 private:
  struct File {
    std::string name;
    u16 key = 0;
    u32 size = 0;
  };
  void write_directory();

  std::vector<File> files_;
  std::map<u16, std::vector<u8>> items_;

  std::mutex mutex_;
  u16 key_ = 0;     // guarded by mutex_
  u64 offset_ = 0;  // guarded by mutex_
};

}  // namespace pileus::machine
