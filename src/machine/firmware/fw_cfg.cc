#include "machine/firmware/fw_cfg.h"

#include "base/result.h"

namespace pileus::machine {

namespace {

constexpr u16 kSignature = 0x00, kRevision = 0x01, kCpuCount = 0x05, kMaxCpuCount = 0x0F, kDirectory = 0x19;
constexpr u16 kFirstFile = 0x20;
constexpr u64 kNameBytes = 56;
constexpr u8 kTraditional = 1;  // of the revision: bit 1 would be DMA

void put_big(std::vector<u8>& out, u64 value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<u8>(value >> i * 8));
}

std::vector<u8> little16(u32 value) { return {static_cast<u8>(value), static_cast<u8>(value >> 8)}; }

}  // namespace

FwCfg::FwCfg(u32 cpu_count) {
  items_[kSignature] = {'Q', 'E', 'M', 'U'};
  items_[kRevision] = {kTraditional, 0, 0, 0};
  items_[kCpuCount] = little16(cpu_count);
  items_[kMaxCpuCount] = little16(cpu_count);
  write_directory();
}

void FwCfg::add_file(std::string_view name, std::vector<u8> bytes) {
  CHECK(name.size() < kNameBytes);
  const auto key = static_cast<u16>(kFirstFile + files_.size());
  files_.push_back({std::string(name), key, static_cast<u32>(bytes.size())});
  items_[key] = std::move(bytes);
  write_directory();
}

void FwCfg::write_directory() {
  std::vector<u8> bytes;
  put_big(bytes, files_.size(), 4);
  for (const File& file : files_) {
    put_big(bytes, file.size, 4);
    put_big(bytes, file.key, 2);
    put_big(bytes, 0, 2);
    for (u64 i = 0; i < kNameBytes; ++i) bytes.push_back(i < file.name.size() ? static_cast<u8>(file.name[i]) : u8{0});
  }
  items_[kDirectory] = std::move(bytes);
}

void FwCfg::reset() {
  const std::scoped_lock lock(mutex_);
  key_ = 0;
  offset_ = 0;
}

u64 FwCfg::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(mutex_);
  if (offset != 1) return 0;
  const auto item = items_.find(key_);
  if (item == items_.end() || offset_ >= item->second.size()) return 0;
  return item->second[offset_++];
}

// The key is written as a word, which at an odd place would reach into the data port.
void FwCfg::write(u64 offset, unsigned size, u64 value) {
  const std::scoped_lock lock(mutex_);
  if (offset != 0 || size != 2) return;
  key_ = static_cast<u16>(value);
  offset_ = 0;
}

}  // namespace pileus::machine
