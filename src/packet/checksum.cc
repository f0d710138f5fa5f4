#include "packet/checksum.h"

#include <bit>
#include <cstring>

namespace pileus::packet {

// In the host's order eight bytes at a time, and turned round at the end: RFC 1071, 2(B).
u64 ones_sum(std::span<const u8> bytes) {
  u64 sum = 0;
  while (bytes.size() >= sizeof(u64)) {
    u64 word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    sum += (word & 0xFFFF'FFFFU) + (word >> 32U);
    bytes = bytes.subspan(sizeof word);
  }
  while (bytes.size() >= 2) {
    u16 word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    sum += word;
    bytes = bytes.subspan(2);
  }
  if (!bytes.empty()) sum += bytes[0];  // little-endian: the low byte comes first
  static_assert(std::endian::native == std::endian::little);
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return (sum & 0xFFU) << 8U | sum >> 8U;
}

u16 checksum_of(u64 sum) {
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<u16>(~sum);
}

u16 transport_checksum_of(u64 sum) {
  const u16 checksum = checksum_of(sum);
  return checksum == 0 ? u16{0xFFFF} : checksum;
}

u64 pseudo_header_sum(Ipv4Address source, Ipv4Address destination, u8 protocol, u32 length) {
  return u64{source >> 16U} + (source & 0xFFFFU) + (destination >> 16U) + (destination & 0xFFFFU) + protocol + length;
}

}  // namespace pileus::packet
