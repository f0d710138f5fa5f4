#include "packet/offload.h"

#include <algorithm>
#include <vector>

#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ipv4.h"

namespace pileus::packet {
namespace {

constexpr u8 kPush = 8;
constexpr u8 kWindowReduced = 0x80;

}  // namespace

bool finish_checksum(Offload& offload, std::span<u8> frame) {
  if ((offload.flags & Offload::kNeedsChecksum) == 0) return true;
  const std::size_t at = std::size_t{offload.checksum_start} + offload.checksum_offset;
  if (at + 2 > frame.size() || offload.checksum_start > frame.size()) return false;
  // The pseudo-header's sum is in place already.
  store16(frame, at, transport_checksum_of(ones_sum(frame.subspan(offload.checksum_start))));
  offload.flags = Offload::kDataValid;
  return true;
}

bool cut_segments(const Offload& offload, std::span<u8> frame, const std::function<void(std::span<u8>)>& take) {
  const std::optional<EthernetView> ethernet = EthernetView::parse(frame);
  if (offload.gso_size == 0 || !ethernet || ethernet->type() != kEtherIpv4) return false;
  const std::optional<Ipv4View> ip = Ipv4View::parse(ethernet->payload());
  if (!ip || ip->protocol() != kTcp || ip->payload().size() < kTcpBytes) return false;
  const std::size_t tcp_header = (ip->payload()[12] >> 4U) * std::size_t{4};
  if (tcp_header < kTcpBytes || tcp_header > ip->payload().size()) return false;
  const std::size_t ip_at = kEthernetBytes;
  const std::size_t tcp_at = ip_at + ip->header_bytes();
  const std::size_t headers = tcp_at + tcp_header;
  std::span<const u8> data = ip->payload().subspan(tcp_header);
  const u32 first = load32(frame, tcp_at + 4);
  const u8 flags = frame[tcp_at + 13];
  u16 id = ip->id();
  u32 sent = 0;
  std::vector<u8> segment;
  do {
    const std::size_t length = std::min<std::size_t>(offload.gso_size, data.size());
    const bool last = length == data.size();
    segment.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(headers));
    segment.insert(segment.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(length));
    const std::span<u8> bytes(segment);
    store16(bytes, ip_at + 2, static_cast<u16>(bytes.size() - ip_at));
    store16(bytes, ip_at + 4, id++);
    store16(bytes, ip_at + 10, 0);
    store16(bytes, ip_at + 10, checksum_of(ones_sum(bytes.subspan(ip_at, ip->header_bytes()))));
    const std::span<u8> tcp = bytes.subspan(tcp_at);
    store32(tcp, 4, first + sent);
    // FIN and PSH belong to the end, CWR to the start.
    u8 kept = flags;
    if (!last) kept &= static_cast<u8>(~(Transport::kFin | kPush));
    if (sent > 0) kept &= static_cast<u8>(~kWindowReduced);
    tcp[13] = kept;
    store16(tcp, 16, 0);
    const u64 pseudo = pseudo_header_sum(ip->source(), ip->destination(), kTcp, static_cast<u32>(tcp.size()));
    store16(tcp, 16, transport_checksum_of(pseudo + ones_sum(tcp)));
    take(bytes);
    sent += static_cast<u32>(length);
    data = data.subspan(length);
  } while (!data.empty());
  return true;
}

}  // namespace pileus::packet
