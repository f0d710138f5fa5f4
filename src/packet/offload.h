// Work that a guest leaves to its network card (virtio 1.2, 5.1.6): checksums that are still to be made, and TCP segments
// larger than the network's packets. Between guests of one host nobody has to do it.
#pragma once

#include <functional>
#include <span>

#include "base/ints.h"

namespace pileus::packet {

// struct virtio_net_hdr without num_buffers, as guests have it in memory: little-endian.
struct Offload {
  static constexpr u8 kNeedsChecksum = 1;  // flags
  static constexpr u8 kDataValid = 2;
  static constexpr u8 kNoSegments = 0;  // gso_type
  static constexpr u8 kTcp4 = 1;
  u8 flags = 0;
  u8 gso_type = kNoSegments;
  u16 header_length = 0;
  u16 gso_size = 0;
  u16 checksum_start = 0;
  u16 checksum_offset = 0;
};
static_assert(sizeof(Offload) == 10);

inline constexpr std::size_t kMaxFrame = 65'536 + 14;  // a whole IPv4 packet in an Ethernet frame

// Makes the checksum if it is to be made. False when the guest's offsets leave the frame.
[[nodiscard]] bool finish_checksum(Offload& offload, std::span<u8> frame);

// Cuts a frame with gso_type kTcp4 into frames of its gso_size with checksums of their own, in order. False, and nothing is
// given, when it is not TCP in IPv4 or its size is zero.
[[nodiscard]] bool cut_segments(const Offload& offload, std::span<u8> frame,
                                const std::function<void(std::span<u8>)>& take);

}  // namespace pileus::packet
