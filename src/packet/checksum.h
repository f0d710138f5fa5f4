// The Internet checksum (RFC 1071).
#pragma once

#include <span>

#include "packet/bytes.h"

namespace pileus::packet {

// Sum of 16-bit words in ones' complement, not folded; a last odd byte counts as the high one. Sums add up.
u64 ones_sum(std::span<const u8> bytes);
// The checksum that belongs to a sum: folded and inverted.
u16 checksum_of(u64 sum);
// As checksum_of, for UDP and TCP: never zero, which means "none" to UDP.
u16 transport_checksum_of(u64 sum);
// Of the pseudo-header (RFC 9293, 3.1) of a segment of `length` bytes.
u64 pseudo_header_sum(Ipv4Address source, Ipv4Address destination, u8 protocol, u32 length);

}  // namespace pileus::packet
