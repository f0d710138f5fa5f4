// LayerDraft: a layer that is being received, cluster after cluster. What is there already is found again by its hashes,
// so a draft that was interrupted at any instant goes on where it was.
#pragma once

#include <filesystem>
#include <memory>

#include "store/manifest.h"

namespace pileus::store {

class LayerDraft {
 public:
  // Makes the file `path` or goes on with it.
  static Result<LayerDraft> open(const std::filesystem::path& path, Manifest manifest);

  // How many clusters of data are there, of those that there will be.
  u64 received() const { return received_; }
  u64 expected() const { return manifest_.hashes.size(); }
  // The next one. kCorrupt: it is not what the manifest says, and was not taken.
  Result<> add(std::span<const u8> cluster);
  // All are there: makes it durable. The file is a layer now, to be renamed.
  Result<> finish();

 private:
  LayerDraft(Manifest manifest, std::unique_ptr<virtio::BlockBackend> disk);
  Result<> find_received();
  Result<> write(u64 cluster, std::span<const u8> bytes);

  Manifest manifest_;
  std::unique_ptr<virtio::BlockBackend> disk_;
  std::vector<u64> places_;  // the clusters of data, in their order
  u64 received_ = 0;
};

}  // namespace pileus::store
