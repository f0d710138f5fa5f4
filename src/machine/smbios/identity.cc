#include "machine/smbios/identity.h"

#include <algorithm>
#include <charconv>

namespace pileus::machine {

std::optional<Uuid> parse_uuid(std::string_view text) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) return std::nullopt;
  Uuid uuid{};
  std::size_t at = 0;
  for (u8& byte : uuid) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash && text[at++] != '-') return std::nullopt;
    const char* const end = text.data() + at + 2;
    const auto [read, error] = std::from_chars(text.data() + at, end, byte, 16);
    if (error != std::errc() || read != end) return std::nullopt;
    at += 2;
  }
  return uuid;
}

bool is_smbios_text(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return text.size() <= kLongest && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace pileus::machine
