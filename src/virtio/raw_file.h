// RawFile: a disk that is the bytes of a file or block device.
#pragma once

#include <memory>
#include <string>

#include "virtio/block_backend.h"
#include "virtio/disk_file.h"

namespace pileus::virtio {

class RawFile : public BlockBackend {
 public:
  // Locks the file as open_disk_file() does.
  static Result<std::unique_ptr<RawFile>> open(const std::string& path, Access access);
  RawFile(std::unique_ptr<DiskFile> file, Access access) : file_(std::move(file)), access_(access) {}

  u64 size() const override { return file_->size(); }
  bool read_only() const override { return access_ == Access::kReadOnly; }
  u64 next_data(u64 offset) override { return file_->next_data(offset); }
  Result<> read(u64 offset, std::span<u8> out) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override;
  Result<> discard(u64 offset, u64 length) override;
  Result<> write_zeroes(u64 offset, u64 length) override;

 private:
  Result<> check_write(u64 offset, u64 length) const;

  std::unique_ptr<DiskFile> file_;
  Access access_;
};

}  // namespace pileus::virtio
