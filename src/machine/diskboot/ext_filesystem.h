// ExtFilesystem: reading files of an ext2, ext3 or ext4 file system inside a disk, by libext2fs.
// Never writes; a journal is not replayed, so that what was written just before a crash may be
// missing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "machine/diskboot/disk_reader.h"
#include "machine/diskboot/partition_table.h"

namespace pileus::machine {

class ExtFilesystem {
 public:
  // The reader must outlive it. kNotFound when the partition holds another kind of file system.
  static Result<ExtFilesystem> open(DiskReader& disk, const Partition& partition);
  ExtFilesystem(ExtFilesystem&&) noexcept;
  ExtFilesystem& operator=(ExtFilesystem&&) noexcept;
  ~ExtFilesystem();

  // Follows symbolic links inside the file system. kNotFound; kExhausted when it is longer than
  // `limit` bytes.
  Result<std::vector<u8>> read_file(const std::string& path, u64 limit);
  // Names in a directory, "." and ".." left out, at most 10,000.
  Result<std::vector<std::string>> list(const std::string& path);
  bool exists(const std::string& path);
  std::string uuid() const;  // as in root=UUID=

 private:
  struct State;
  explicit ExtFilesystem(std::unique_ptr<State> state);
  Result<u32> find(const std::string& path);

  std::unique_ptr<State> state_;
};

}  // namespace pileus::machine
