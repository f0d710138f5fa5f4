#include "vmm/units.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "os/tcp.h"

namespace pileus::vmm {
namespace {

struct Unit {
  char letter;
  u64 bytes;
};
constexpr std::array kUnits = {Unit{'T', kGiB* kKiB}, Unit{'G', kGiB}, Unit{'M', kMiB}, Unit{'K', kKiB}};

Error bad_size(std::string_view text) {
  return Error(ErrorCode::kInvalid, "'" + std::string(text) + "' is not a size: write it like 512M or 8G");
}

Result<u16> parse_port(std::string_view text) {
  u16 port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return Error(ErrorCode::kInvalid, "not a port");
  }
  return port;
}

}  // namespace

Result<u64> parse_size(std::string_view text) {
  u64 number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) return bad_size(text);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (suffix.empty()) return number;
  const char letter = static_cast<char>(suffix[0] & ~0x20);  // upper case, if a letter
  const auto* unit = std::ranges::find(kUnits, letter, &Unit::letter);
  const std::string_view rest = suffix.substr(1);
  if (unit == kUnits.end() || (!rest.empty() && rest != "B" && rest != "iB")) return bad_size(text);
  const std::optional<u64> bytes = checked_mul(number, unit->bytes);
  if (!bytes) return bad_size(text);
  return *bytes;
}

std::string format_size(u64 bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes != 0 && bytes % unit.bytes == 0) return std::to_string(bytes / unit.bytes) + unit.letter;
  }
  return std::to_string(bytes);
}

Result<PortForward> parse_forward(std::string_view text) {
  PortForward forward;
  std::string_view ports = text;
  if (std::ranges::count(text, ':') == 2) {
    forward.address = text.substr(0, text.find(':'));
    ports.remove_prefix(forward.address.size() + 1);
  }
  const std::size_t colon = ports.find(':');
  if (colon != std::string_view::npos && os::is_loopback(forward.address)) {
    const Result<u16> host = parse_port(ports.substr(0, colon));
    const Result<u16> guest = parse_port(ports.substr(colon + 1));
    if (host && guest) {
      forward.host_port = *host;
      forward.guest_port = *guest;
      return forward;
    }
  }
  return Error(ErrorCode::kInvalid,
               "'" + std::string(text) +
                   "' is not a port forward: write HOST:GUEST, like 2222:22, with ports from 1 to 65535, or "
                   "ADDRESS:HOST:GUEST with an address that begins with 127.");
}

std::string format_forward(const PortForward& forward) {
  const std::string ports = std::to_string(forward.host_port) + ":" + std::to_string(forward.guest_port);
  return forward.address == PortForward().address ? ports : forward.address + ":" + ports;
}

}  // namespace pileus::vmm
