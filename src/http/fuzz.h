// The parsers of foreign bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound. (HTTP itself is read by libmicrohttpd and libcurl.)
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::http {

void fuzz_base64(std::span<const u8> input);
void fuzz_join_token(std::span<const u8> input);
void fuzz_certificate_request(std::span<const u8> input);  // what a host that joins sends, to be signed

}  // namespace pileus::http
