#include "packet/dns.h"

namespace pileus::packet {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 255;
constexpr u16 kQueryBits = 0xF800;  // answer bit and kind of query: zero in a standard query
constexpr u16 kRecursionDesired = 0x0100;
constexpr u16 kAnswer = 0x8480;  // an answer, authoritative, recursion available
constexpr u16 kClassIn = 1;
constexpr u16 kNameAtHeader = 0xC00C;  // pointer to the question's name

void append16(std::vector<u8>& out, u16 value) {
  out.push_back(static_cast<u8>(value >> 8U));
  out.push_back(static_cast<u8>(value));
}

}  // namespace

std::optional<DnsQuestion> parse_dns(std::span<const u8> message) {
  if (message.size() < kHeader || (load16(message, 2) & kQueryBits) != 0 || load16(message, 4) != 1) return {};
  DnsQuestion result;
  result.id = load16(message, 0);
  result.recursion = (load16(message, 2) & kRecursionDesired) != 0;
  std::size_t at = kHeader;
  while (true) {
    if (at >= message.size()) return {};
    const std::size_t length = message[at++];
    if (length == 0) break;
    if (length > kLongestLabel || message.size() - at < length || result.name.size() + length > kLongestName) return {};
    if (!result.name.empty()) result.name += '.';
    for (const u8 byte : message.subspan(at, length)) {
      const char c = static_cast<char>(byte);
      result.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    at += length;
  }
  if (message.size() - at < 4 || load16(message, at + 2) != kClassIn) return {};
  result.type = load16(message, at);
  result.question.assign(message.begin() + kHeader, message.begin() + static_cast<std::ptrdiff_t>(at + 4));
  return result;
}

std::vector<u8> build_dns(const DnsQuestion& question, std::optional<Ipv4Address> address, u32 ttl_s) {
  std::vector<u8> out;
  append16(out, question.id);
  append16(out, static_cast<u16>(kAnswer | (question.recursion ? kRecursionDesired : 0)));
  append16(out, 1);
  append16(out, address ? 1 : 0);
  append16(out, 0);
  append16(out, 0);
  out.insert(out.end(), question.question.begin(), question.question.end());
  if (!address) return out;
  append16(out, kNameAtHeader);
  append16(out, DnsQuestion::kA);
  append16(out, kClassIn);
  append16(out, static_cast<u16>(ttl_s >> 16U));
  append16(out, static_cast<u16>(ttl_s));
  append16(out, 4);
  append16(out, static_cast<u16>(*address >> 16U));
  append16(out, static_cast<u16>(*address));
  return out;
}

}  // namespace pileus::packet
