// DiskFolder: a disk as files of one folder: frozen layers, each over the one before it, and on top the overlay that
// takes the writes.
//
// Nothing but the replacing of chain.json changes what the disk is made of: a crash at any instant leaves the disk from
// before a snapshot or the one after it, and perhaps a file that nobody knows, which the next snapshot removes.
// Who has a Disk holds its top's lock, and alone may change the folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "store/chain.h"
#include "virtio/block_backend.h"
#include "virtio/overlay.h"

namespace pileus::store {

class Disk;

// A name for a new overlay of the disk: it has been none of its files.
std::string next_overlay_name(const Chain& chain);

class DiskFolder {
 public:
  static constexpr const char* kFirstTop = "disk.overlay";

  // `implied`: what the folder is made of as long as it has no chain.json.
  explicit DiskFolder(std::filesystem::path path, std::optional<Chain> implied = std::nullopt)
      : path_(std::move(path)), implied_(std::move(implied)) {}

  // Fills the folder `path`, which is there and empty, with a disk of `bytes` that begins as these layers, or as zeroes.
  // Layers are named as in chain.json. Not one step: make it under another name first.
  static Result<> fill(const std::filesystem::path& path, std::vector<Layer> layers, u64 bytes);
  // The size of the disk that the first `count` layers are; 0 for none.
  static Result<u64> size_of_layers(const DiskFolder& folder, std::size_t count);

  const std::filesystem::path& path() const { return path_; }
  // Where a layer or the top is.
  std::string file(const std::string& name) const;
  Result<Chain> chain() const;
  // The bytes of the disk.
  Result<u64> size() const;
  // The files of the disk and what they take, as far as they are in this folder.
  u64 allocated_bytes() const;

  // Opens it for running, with the lock on its top. kBusy when it is in use.
  Result<std::unique_ptr<Disk>> open() const;

  // The disk that `layers` are, read-only.
  Result<std::shared_ptr<virtio::BlockBackend>> open_layers(std::span<const Layer> layers) const;
  // Makes `chain` what the disk is, durably; the caller has the lock on its top.
  Result<> save(const Chain& chain) const;

 private:
  friend class Disk;
  // One step, but not durable yet.
  Result<> replace_record(const Chain& chain) const;

  std::filesystem::path path_;
  std::optional<Chain> implied_;
};

// A DiskFolder in use. Calls block and come from one thread at a time.
class Disk : public virtio::BlockBackend {
 public:
  Disk(DiskFolder folder, Chain chain, std::unique_ptr<virtio::Overlay> top)
      : folder_(std::move(folder)), chain_(std::move(chain)), top_(std::move(top)) {}

  u64 size() const override { return top_->size(); }
  bool read_only() const override { return false; }
  Result<> read(u64 offset, std::span<u8> out) override { return top_->read(offset, out); }
  Result<> write(u64 offset, std::span<const u8> data) override { return top_->write(offset, data); }
  Result<> flush() override { return top_->flush(); }
  Result<> discard(u64 offset, u64 length) override { return top_->discard(offset, length); }
  Result<> write_zeroes(u64 offset, u64 length) override { return top_->write_zeroes(offset, length); }

  const Chain& chain() const { return chain_; }
  // Whether anything lies in the top.
  bool written() const { return top_->changed_clusters() != 0; }
  const DiskFolder& folder() const { return folder_; }

  // Keeps the disk as it is now, flushed, as the mark `name`: the top becomes a layer, and a new one lies above it. A
  // mark that is there already stays as it is. Failed: nothing has changed.
  Result<Mark> snapshot(const std::string& name);
  // Makes it larger; what is new reads as zero. kInvalid when that would make it smaller.
  Result<> grow(u64 bytes);

 private:
  Result<> push_top(Chain next, u64 bytes);

  DiskFolder folder_;
  Chain chain_;
  std::shared_ptr<virtio::Overlay> top_;
};

}  // namespace pileus::store
