// Numbers in headers.
#pragma once

#include <bit>
#include <cstring>
#include <span>

#include "base/ints.h"

namespace pileus::foreign {

inline constexpr u64 kSector = 512;

template <typename T>
T load(std::span<const u8> bytes, std::size_t offset, std::endian order) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const std::size_t at = order == std::endian::big ? i : sizeof(T) - 1 - i;
    value = static_cast<T>(static_cast<u64>(value) << 8 | bytes[offset + at]);
  }
  return value;
}
template <typename T>
T big(std::span<const u8> bytes, std::size_t offset) {
  return load<T>(bytes, offset, std::endian::big);
}
template <typename T>
T little(std::span<const u8> bytes, std::size_t offset) {
  return load<T>(bytes, offset, std::endian::little);
}

template <typename T>
void store(std::span<u8> bytes, std::size_t offset, T value, std::endian order) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const std::size_t at = order == std::endian::big ? sizeof(T) - 1 - i : i;
    bytes[offset + at] = static_cast<u8>(static_cast<u64>(value) >> (8 * i));
  }
}
template <typename T>
void store_big(std::span<u8> bytes, std::size_t offset, T value) {
  store<T>(bytes, offset, value, std::endian::big);
}
template <typename T>
void store_little(std::span<u8> bytes, std::size_t offset, T value) {
  store<T>(bytes, offset, value, std::endian::little);
}

}  // namespace pileus::foreign
