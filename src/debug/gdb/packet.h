// Packets of GDB's remote protocol (its manual, appendix E.1), to and from a byte stream.
//
//   stream  := { packet | '+' | '-' | 0x03 }
//   packet  := '$' { byte } '#' HEX HEX       the last two: the sum of the bytes between, modulo 256
//   byte    := anything but '$' '#' '}' '*' | '}' (byte XOR 0x20)
//
// Replies of ours are never run-length encoded.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace pileus::debug::gdb {

inline constexpr std::size_t kMaxPacket = 16384;  // bytes between '$' and '#'

struct Received {
  enum class Kind : u8 {
    kPacket,
    kBroken,     // a packet whose sum is wrong: to be sent again
    kNack,       // our last packet is to be sent again
    kInterrupt,  // Ctrl-C
  };
  Kind kind = Kind::kPacket;
  std::string text;  // of a kPacket, unescaped
};

class PacketReader {
 public:
  // False when the peer sends no protocol of ours (a packet that is too long): it is to be dropped.
  [[nodiscard]] bool append(std::string_view bytes);
  std::optional<Received> next();

 private:
  std::string pending_;
};

// The payload escaped, framed and summed.
std::string encode_packet(std::string_view payload);

std::string to_hex(std::span<const u8> bytes);
// Nothing when it is not pairs of hexadecimal digits.
std::optional<std::vector<u8>> from_hex(std::string_view text);
// A big-endian number of 1 to 16 digits, all of `text`.
std::optional<u64> parse_hex(std::string_view text);

}  // namespace pileus::debug::gdb
