// LayerFile: what one file of a chain holds, whatever lies below it.
//
// Apart from the manifest, so that a VMM, which merges layers but never names one, does without the library of digests.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "virtio/block_backend.h"

namespace pileus::store {

inline constexpr u64 kCluster = 64 * kKiB;

bool is_zero(std::span<const u8> bytes);

class LayerFile {
 public:
  static Result<LayerFile> open(const std::string& path, bool raw);

  u64 base_size() const { return base_size_; }
  u64 disk_size() const { return disk_->size(); }
  u64 cluster_count() const { return align_up(disk_size(), kCluster) / kCluster; }
  bool holds(u64 cluster) const;
  // Whole clusters: `out` has kCluster bytes, those beyond the disk's end become zero.
  Result<> read(u64 cluster, std::span<u8> out);

 private:
  std::unique_ptr<virtio::BlockBackend> disk_;
  std::function<bool(u64)> holds_;  // empty: every cluster
  u64 base_size_ = 0;
};

}  // namespace pileus::store
