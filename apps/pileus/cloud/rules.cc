#include "cloud/rules.h"

#include <charconv>

#include "base/ints.h"

namespace pileus::cli {

Result<> add_rule(client::Parameters& parameters, std::size_t index, const std::string& text) {
  const std::size_t at = text.find('@');
  const std::string port = text.substr(0, at);
  u16 number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) {
    return Error(ErrorCode::kInvalid, "'" + text + "' is no rule: write PORT or PORT@CIDR, like 80 or 22@10.0.0.0/8");
  }
  const std::string begin = "IpPermissions." + std::to_string(index) + ".";
  parameters[begin + "IpProtocol"] = "tcp";
  parameters[begin + "FromPort"] = port;
  parameters[begin + "ToPort"] = port;
  parameters[begin + "IpRanges.1.CidrIp"] = at == std::string::npos ? "0.0.0.0/0" : text.substr(at + 1);
  return {};
}

}  // namespace pileus::cli
