// Chain: which files make a disk; the file chain.json in its folder (docs/formats/disk-folder.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::store {

// A file that is never written any more.
struct Layer {
  std::string file;  // a name in the disk's folder, or an absolute path
  bool raw = false;  // the bytes of a disk; else an overlay on the layer before it
  bool operator==(const Layer&) const = default;
};

// A moment of the disk that was asked for: it is the first `layers` layers.
struct Mark {
  std::string name;
  u64 layers = 0;
  bool operator==(const Mark&) const = default;
};

struct Chain {
  std::vector<Layer> layers;  // from the lowest; only the first may be raw
  std::string top;            // the overlay that takes the writes
  std::vector<Mark> marks;    // the oldest first

  const Mark* find_mark(std::string_view name) const;
  bool operator==(const Chain&) const = default;
};

// A disk whose snapshots were never merged becomes slow long before this.
inline constexpr std::size_t kMaxLayers = 64;
// Older ones are forgotten.
inline constexpr std::size_t kMaxMarks = 64;

std::string encode_chain(const Chain& chain);
// kCorrupt: not JSON, fields of the wrong kind, names that lead out of the folder, too many layers.
Result<Chain> parse_chain(std::string_view text);

}  // namespace pileus::store
