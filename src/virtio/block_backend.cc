#include "virtio/block_backend.h"

#include <string>

namespace pileus::virtio {

Result<> check_range(u64 offset, u64 length, u64 size) {
  if (offset <= size && length <= size - offset) return {};
  return Error(ErrorCode::kInvalid, std::to_string(length) + " bytes at " + std::to_string(offset) +
                                        " are beyond the disk's " + std::to_string(size));
}

}  // namespace pileus::virtio
