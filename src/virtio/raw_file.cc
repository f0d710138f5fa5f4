#include "virtio/raw_file.h"

namespace pileus::virtio {

Result<std::unique_ptr<RawFile>> RawFile::open(const std::string& path, Access access) {
  std::unique_ptr<DiskFile> file = TRY(open_disk_file(path, access));
  return std::make_unique<RawFile>(std::move(file), access);
}

Result<> RawFile::check_write(u64 offset, u64 length) const {
  if (read_only()) return Error(ErrorCode::kPermission, "the disk is read-only");
  return check_range(offset, length, size());
}

Result<> RawFile::read(u64 offset, std::span<u8> out) {
  TRY(check_range(offset, out.size(), size()));
  return file_->read(offset, out);
}

Result<> RawFile::write(u64 offset, std::span<const u8> data) {
  TRY(check_write(offset, data.size()));
  return file_->write(offset, data);
}

Result<> RawFile::flush() {
  if (read_only()) return {};
  return file_->sync();
}

Result<> RawFile::discard(u64 offset, u64 length) {
  TRY(check_write(offset, length));
  return file_->discard(offset, length);
}

Result<> RawFile::write_zeroes(u64 offset, u64 length) {
  TRY(check_write(offset, length));
  return file_->zero(offset, length);
}

}  // namespace pileus::virtio
