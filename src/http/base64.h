// Base64 (RFC 4648, section 4: the standard alphabet with padding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pileus::http {

std::string encode_base64(std::string_view bytes);
// Nothing for text that is not base64: other characters (line breaks too), padding that is missing or elsewhere than at
// the end.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace pileus::http
