// Overlay: a writable disk made of a read-only base and a file of the clusters that were changed.
// The base is never modified. It may be an overlay itself, frozen: so overlays form chains.
//
// Durability is that of a disk with a write cache: what flush() acknowledged survives a crash of
// the program or the power at any instant; a later write survives whole clusters at a time or not
// at all where the cluster was not in the overlay before. No crash makes a cluster count as changed
// before its bytes are in place. Closing flushes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "virtio/block_backend.h"
#include "virtio/disk_file.h"

namespace pileus::virtio {

class Overlay : public BlockBackend {
 public:
  static constexpr u64 kClusterSize = 64 * kKiB;

  // Makes a new overlay file, for a base of `base_size` bytes; appears under `path` only when it is
  // complete and durable. `virtual_size` (bytes, rounded up to 512) is the size of the disk, not
  // less than the base; what is beyond the base reads as zero. kExists when `path` exists.
  static Result<> create(const std::string& path, u64 base_size, u64 virtual_size);
  // Opens and locks the overlay; with kReadOnly it is frozen from the start. kBusy when it is in use; kCorrupt when it
  // is not a whole overlay; kInvalid when it was made for a base of another size.
  static Result<std::unique_ptr<Overlay>> open(const std::string& path, std::shared_ptr<BlockBackend> base,
                                               Access access = Access::kReadWrite);
  // The same over any file; `path` is for messages.
  static Result<std::unique_ptr<Overlay>> open(std::unique_ptr<DiskFile> file, const std::string& path,
                                               std::shared_ptr<BlockBackend> base, Access access = Access::kReadWrite);
  // What an overlay file says of itself.
  struct Sizes {
    u64 base = 0;
    u64 disk = 0;
  };
  static Result<Sizes> sizes_of(const std::string& path);
  ~Overlay() override;

  u64 size() const override { return virtual_size_; }
  bool read_only() const override { return frozen_; }
  Result<> read(u64 offset, std::span<u8> out) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override;
  Result<> discard(u64 offset, u64 length) override;
  Result<> write_zeroes(u64 offset, u64 length) override;

  // Flushes, and takes no writes any more; others may read the file from now on.
  Result<> freeze();

  // How many clusters differ from the base (or were written at all).
  u64 changed_clusters() const;
  // Whether the cluster is in this file.
  bool changed(u64 cluster) const;

 private:
  Overlay(std::unique_ptr<DiskFile> file, std::shared_ptr<BlockBackend> base, u64 virtual_size, std::vector<u8> bitmap,
          bool frozen);

  Result<> check_write(u64 offset, u64 length) const;
  void mark_changed(u64 cluster);
  u64 position(u64 cluster, u64 within) const;
  Result<> read_base(u64 offset, std::span<u8> out);
  // Puts a whole cluster of the base, with `data` at `within`, into the overlay.
  Result<> copy_up(u64 cluster, u64 within, std::span<const u8> data);
  Result<> write_piece(u64 cluster, u64 within, std::span<const u8> data);
  Result<> zero_piece(u64 cluster, u64 within, u64 length);

  std::unique_ptr<DiskFile> file_;
  std::shared_ptr<BlockBackend> base_;
  u64 virtual_size_;
  u64 data_offset_;
  std::vector<u8> bitmap_;  // as the disk reads now
  std::vector<bool> stale_pages_;  // pages of the bitmap that differ from the file
  bool any_stale_ = false;
  bool frozen_;
  std::vector<u8> scratch_;  // one cluster
};

}  // namespace pileus::virtio
