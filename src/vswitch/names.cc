#include "vswitch/names.h"

#include <algorithm>

namespace pileus::vswitch {
namespace {

// Of "ip-10-0-0-1".
std::optional<Ipv4Address> address_in(const std::string& name) {
  constexpr std::string_view kPrefix = "ip-";
  if (!name.starts_with(kPrefix)) return {};
  std::string digits = name.substr(kPrefix.size());
  std::ranges::replace(digits, '-', '.');
  return packet::parse_ipv4(digits);
}

bool has_guest(const Config& config, u32 network, Ipv4Address address) {
  const auto at = [&](const auto& each) { return each.network == network && each.address == address; };
  return std::ranges::any_of(config.ports, [&](const auto& each) { return at(each.second); }) ||
         std::ranges::any_of(config.remotes, at);
}

}  // namespace

NameAnswer look_up(const Config& config, u32 network, const std::string& name) {
  const std::string domain = "." + config.domain;
  if (!name.ends_with(domain)) return {};
  NameAnswer answer{.ours = true, .address = {}};
  const std::string host = name.substr(0, name.size() - domain.size());
  const std::optional<Ipv4Address> address = address_in(host);
  if (address && has_guest(config, network, *address)) answer.address = address;
  if (address) return answer;
  for (const auto& [id, port] : config.ports) {
    if (port.network == network && port.host_name == host) answer.address = port.address;
  }
  return answer;
}

}  // namespace pileus::vswitch
