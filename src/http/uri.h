// Text in addresses and forms.
#pragma once

#include <string>
#include <string_view>

namespace pileus::http {

// Percent-encoding as RFC 3986, section 2.3 and Signature V4 want it: all but A-Z a-z 0-9 - . _ ~ becomes %XX.
std::string encode_uri(std::string_view text);

}  // namespace pileus::http
