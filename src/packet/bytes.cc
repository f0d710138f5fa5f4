#include "packet/bytes.h"

#include <charconv>

namespace pileus::packet {
namespace {

// A number without sign or leading zeros, up to `limit`, that ends where `text` ends or at `end`; takes it off the text.
std::optional<u32> take_number(std::string_view& text, char end, u32 limit) {
  u32 value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto length = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc() || value > limit || (length > 1 && text.front() == '0')) return {};
  if (length < text.size() && text[length] != end) return {};
  text.remove_prefix(length < text.size() ? length + 1 : length);
  return value;
}

std::optional<u8> hex_byte(std::string_view text) {
  u8 value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || stop != text.data() + text.size()) return {};
  return value;
}

}  // namespace

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  Ipv4Address address = 0;
  for (int i = 0; i < 4; ++i) {
    const bool more_must_follow = i < 3;
    if (more_must_follow != (text.find('.') != std::string_view::npos)) return {};
    const std::optional<u32> byte = take_number(text, '.', 255);
    if (!byte) return {};
    address = address << 8U | *byte;
  }
  return address;
}

std::string ipv4_text(Ipv4Address address) {
  std::string text;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    text += std::to_string(address >> shift & 255U);
    if (shift != 0) text += '.';
  }
  return text;
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  constexpr std::size_t kLength = 17;
  if (text.size() != kLength) return {};
  MacAddress mac = {};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    if (i > 0 && text[3 * i - 1] != ':') return {};
    const std::optional<u8> byte = hex_byte(text.substr(3 * i, 2));
    if (!byte) return {};
    mac[i] = *byte;
  }
  return mac;
}

std::string mac_text(const MacAddress& mac) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const u8 byte : mac) {
    if (!text.empty()) text += ':';
    text.append({kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return text;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const std::optional<Ipv4Address> address = parse_ipv4(text.substr(0, slash));
  text.remove_prefix(slash + 1);
  const std::optional<u32> prefix = take_number(text, '\0', 32);
  if (!address || !prefix || !text.empty()) return {};
  Cidr cidr{.address = *address, .prefix = static_cast<u8>(*prefix)};
  cidr.address &= cidr.mask();
  return cidr;
}

std::string cidr_text(const Cidr& cidr) { return ipv4_text(cidr.address) + "/" + std::to_string(cidr.prefix); }

}  // namespace pileus::packet
