#include "debug/gdb/packet.h"

#include <charconv>

namespace pileus::debug::gdb {

namespace {

constexpr char kInterrupt = 3, kEscape = '}', kEscapeBit = 0x20;
constexpr std::size_t kFrame = 4;  // '$', '#' and two digits
constexpr std::string_view kDigits = "0123456789abcdef";

u8 sum_of(std::string_view bytes) {
  u8 sum = 0;
  for (const char byte : bytes) sum = static_cast<u8>(sum + static_cast<u8>(byte));
  return sum;
}

std::string unescape(std::string_view raw) {
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escaped = raw[i] == kEscape && i + 1 < raw.size();
    text += escaped ? static_cast<char>(raw[++i] ^ kEscapeBit) : raw[i];
  }
  return text;
}

}  // namespace

bool PacketReader::append(std::string_view bytes) {
  pending_ += bytes;
  // What is complete is fetched before more is appended, so this is one packet.
  return pending_.size() <= 2 * (kMaxPacket + kFrame);
}

std::optional<Received> PacketReader::next() {
  while (!pending_.empty()) {
    const char first = pending_[0];
    if (first != '$') {  // '+', or noise between packets
      pending_.erase(0, 1);
      if (first == kInterrupt) return Received{Received::Kind::kInterrupt, {}};
      if (first == '-') return Received{Received::Kind::kNack, {}};
      continue;
    }
    const std::size_t end = pending_.find('#');
    if (end == std::string::npos || end + 2 >= pending_.size()) return {};
    const std::string raw = pending_.substr(1, end - 1);
    const auto sum = parse_hex(std::string_view(pending_).substr(end + 1, 2));
    pending_.erase(0, end + 3);
    if (sum != sum_of(raw)) return Received{Received::Kind::kBroken, {}};
    return Received{Received::Kind::kPacket, unescape(raw)};
  }
  return {};
}

std::string encode_packet(std::string_view payload) {
  std::string body;
  for (const char byte : payload) {
    if (byte == '$' || byte == '#' || byte == kEscape || byte == '*') {
      body += kEscape;
      body += static_cast<char>(byte ^ kEscapeBit);
    } else {
      body += byte;
    }
  }
  const u8 sum = sum_of(body);
  return "$" + body + "#" + kDigits[sum >> 4] + kDigits[sum & 15];
}

std::string to_hex(std::span<const u8> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const u8 byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::vector<u8>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::vector<u8> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto byte = parse_hex(text.substr(i, 2));
    if (!byte) return {};
    bytes.push_back(static_cast<u8>(*byte));
  }
  return bytes;
}

std::optional<u64> parse_hex(std::string_view text) {
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || text[0] == '-') return {};
  return value;
}

}  // namespace pileus::debug::gdb
