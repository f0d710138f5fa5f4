// Reading little-endian fields out of foreign bytes: every access is checked, nothing is cast in
// place.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "base/ints.h"

namespace pileus::machine {

using Bytes = std::span<const u8>;

// A copy of the T at `offset`, or nothing when it is not all inside. The host is little-endian
// x86-64, as the formats are.
template <typename T>
  requires std::is_trivially_copyable_v<T>
std::optional<T> load(Bytes bytes, u64 offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// [offset, offset + length) of `bytes`, or nothing when it is not all inside.
inline std::optional<Bytes> slice(Bytes bytes, u64 offset, u64 length) {
  if (offset > bytes.size() || length > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, length);
}

}  // namespace pileus::machine
