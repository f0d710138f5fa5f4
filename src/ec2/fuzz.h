// The parsers of clients' bytes in this module, for a fuzzer: each takes any bytes, must return, and must not crash, read
// outside them or use memory without bound.
#pragma once

#include <span>

#include "base/ints.h"

namespace pileus::ec2 {

void fuzz_query(std::span<const u8> input);  // a form body, read by the parameter checks of every action
void fuzz_signature(std::span<const u8> input);  // lines: Authorization, X-Amz-Date, host, query, body
void fuzz_filter(std::span<const u8> input);  // a pattern, a newline, a text
void fuzz_public_key(std::span<const u8> input);  // ImportKeyPair's line

}  // namespace pileus::ec2
