// Sizes and port forwards as people write them.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::vmm {

// "512M", "8G", "65536K", "1T" or plain bytes; powers of 1024, upper or lower case, an "iB" or "B"
// after the letter allowed. kInvalid for anything else, zero, and what does not fit 64 bits.
Result<u64> parse_size(std::string_view text);

// The shortest exact form of parse_size's: "512M".
std::string format_size(u64 bytes);

struct PortForward {
  std::string address = "127.0.0.1";  // of the host: any in 127.0.0.0/8
  u16 host_port = 0;
  u16 guest_port = 0;
  bool operator==(const PortForward&) const = default;
};

// "HOST:GUEST", both 1 to 65535, or "ADDRESS:HOST:GUEST".
Result<PortForward> parse_forward(std::string_view text);
// The shortest form that parse_forward() reads.
std::string format_forward(const PortForward& forward);

}  // namespace pileus::vmm
