#include "http/uri.h"

namespace pileus::http {

std::string encode_uri(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      result += c;
    } else {
      result.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
    }
  }
  return result;
}

}  // namespace pileus::http
