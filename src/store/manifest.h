// Manifest: what a layer holds, cluster by cluster, with the SHA-256 of each. A layer's id is the SHA-256 of its encoded
// manifest: so an id names content, wherever it came from and however its file is laid out, and every cluster that
// comes from another host is verified by itself (docs/formats/layer.md).
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "store/layer_file.h"

namespace pileus::store {

using Hash = std::array<u8, 32>;

enum class ClusterState : u8 {
  kBelow = 0,  // the layer says nothing of it; at the lowest layer: zeroes
  kZero = 1,
  kData = 2,
};

struct Manifest {
  bool raw = false;  // the lowest layer, as the bytes of a disk
  u64 base_size = 0;  // bytes of the disk below it; 0: there is none
  u64 disk_size = 0;  // bytes of the disk as of this layer
  std::vector<ClusterState> clusters;
  std::vector<Hash>
      hashes;  // of the clusters that are data, in their order; what is beyond the disk's end counts as zero

  // What travels.
  u64 data_bytes() const { return hashes.size() * kCluster; }
  bool operator==(const Manifest&) const = default;
};

std::string encode_manifest(const Manifest& manifest);
// kCorrupt: anything but the encoding of a manifest.
Result<Manifest> parse_manifest(std::string_view bytes);
// 64 lower-case hexadecimal digits.
std::string id_of(std::string_view encoded_manifest);
bool is_layer_id(std::string_view text);

Hash hash_of(std::span<const u8> cluster);

// Reads a whole layer. `progress` is told the part that is done, from 0 to 1; false: give up, kGone.
using Progress = std::function<bool(double part)>;
Result<Manifest> scan_layer(const std::string& path, bool raw, const Progress& progress);

}  // namespace pileus::store
