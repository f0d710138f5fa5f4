#include "packet/dhcp.h"

#include <algorithm>

namespace pileus::packet {
namespace {

constexpr std::size_t kFixed = 236;
constexpr std::size_t kOptions = kFixed + 4;
constexpr std::size_t kSmallest = 300;  // BOOTP's; some clients insist
constexpr u32 kCookie = 0x6382'5363;
constexpr u8 kBootRequest = 1;
constexpr u8 kBootReply = 2;
constexpr u16 kBroadcastFlag = 0x8000;
constexpr std::size_t kMostText = 63;

enum Option : u8 {
  kPad = 0,
  kMask = 1,
  kRouter = 3,
  kNameServer = 6,
  kHostName = 12,
  kDomain = 15,
  kMtu = 26,
  kRequested = 50,
  kLease = 51,
  kKind = 53,
  kServer = 54,
  kEnd = 255,
};

void take_option(DhcpRequest& request, u8& kind, u8 option, std::span<const u8> value) {
  if (option == kKind && value.size() == 1) kind = value[0];
  if (option == kRequested && value.size() == 4) request.requested = load32(value, 0);
  if (option == kServer && value.size() == 4) request.server = load32(value, 0);
}

// False when an option is cut off.
bool take_options(DhcpRequest& request, u8& kind, std::span<const u8> options) {
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kPad) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() - 2 < options[1]) return false;
    take_option(request, kind, options[0], options.subspan(2, options[1]));
    options = options.subspan(std::size_t{2} + options[1]);
  }
  return true;
}

class OptionWriter {
 public:
  explicit OptionWriter(std::vector<u8>& out) : out_(out) {}
  void bytes(u8 option, std::span<const u8> value) {
    out_.push_back(option);
    out_.push_back(static_cast<u8>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void number32(u8 option, u32 value) {
    std::array<u8, 4> raw = {};
    store32(raw, 0, value);
    bytes(option, raw);
  }
  void number16(u8 option, u16 value) {
    std::array<u8, 2> raw = {};
    store16(raw, 0, value);
    bytes(option, raw);
  }
  void text(u8 option, const std::string& value) {
    const std::string kept = value.substr(0, kMostText);
    if (!kept.empty()) bytes(option, {reinterpret_cast<const u8*>(kept.data()), kept.size()});
  }

 private:
  std::vector<u8>& out_;
};

}  // namespace

std::optional<DhcpRequest> parse_dhcp(std::span<const u8> payload) {
  if (payload.size() < kOptions || payload[0] != kBootRequest || payload[1] != 1 || payload[2] != 6) return {};
  if (load32(payload, kFixed) != kCookie) return {};
  DhcpRequest request;
  request.transaction = load32(payload, 4);
  request.broadcast = (load16(payload, 10) & kBroadcastFlag) != 0;
  request.client = load32(payload, 12);
  std::ranges::copy(payload.subspan(28, request.mac.size()), request.mac.begin());
  u8 kind = 0;
  if (!take_options(request, kind, payload.subspan(kOptions))) return {};
  using Kind = DhcpRequest::Kind;
  for (const Kind known : {Kind::kDiscover, Kind::kRequest, Kind::kDecline, Kind::kRelease, Kind::kInform}) {
    if (kind != static_cast<u8>(known)) continue;
    request.kind = known;
    return request;
  }
  return {};
}

std::vector<u8> build_dhcp(const DhcpRequest& request, const DhcpAnswer& answer) {
  std::vector<u8> out(kOptions);
  out[0] = kBootReply;
  out[1] = 1;
  out[2] = 6;
  store32(out, 4, request.transaction);
  store16(out, 10, request.broadcast ? kBroadcastFlag : 0);
  const bool refused = answer.kind == DhcpAnswer::Kind::kNak;
  if (!refused) {
    store32(out, 12, request.client);
    store32(out, 16, answer.client);
  }
  std::ranges::copy(request.mac, out.begin() + 28);
  store32(out, kFixed, kCookie);
  OptionWriter options(out);
  const u8 kind = static_cast<u8>(answer.kind);
  options.bytes(kKind, {&kind, 1});
  options.number32(kServer, answer.server);
  if (!refused) {
    options.number32(kLease, answer.lease_s);
    options.number32(kMask, answer.mask);
    options.number32(kRouter, answer.router);
    std::vector<u8> servers(4 * answer.name_servers.size());
    for (std::size_t i = 0; i < answer.name_servers.size(); ++i) store32(servers, 4 * i, answer.name_servers[i]);
    if (!servers.empty()) options.bytes(kNameServer, servers);
    options.text(kHostName, answer.host_name);
    options.text(kDomain, answer.domain);
    options.number16(kMtu, answer.mtu);
  }
  out.push_back(kEnd);
  if (out.size() < kSmallest) out.resize(kSmallest);
  return out;
}

}  // namespace pileus::packet
