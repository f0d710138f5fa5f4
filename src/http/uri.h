// Text in addresses and forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pileus::http {

// Percent-encoding as RFC 3986, section 2.3 and Signature V4 want it: all but A-Z a-z 0-9 - . _ ~ becomes %XX.
std::string encode_uri(std::string_view text);
// The reverse. Nothing: a '%' without two hexadecimal digits.
std::optional<std::string> decode_uri(std::string_view text);

}  // namespace pileus::http
