#include "packet/fuzz.h"

#include <cstring>
#include <vector>

#include "base/result.h"
#include "packet/dhcp.h"
#include "packet/dns.h"
#include "packet/offload.h"

namespace pileus::packet {

void fuzz_dhcp(std::span<const u8> input) {
  const auto request = parse_dhcp(input);
  if (!request) return;
  DhcpAnswer wanted;
  wanted.name_servers = {1, 2};
  wanted.host_name = std::string(300, 'x');
  const std::vector<u8> answer = build_dhcp(*request, wanted);
  CHECK(load32(answer, 4) == request->transaction);
  CHECK(!parse_dhcp(answer));  // an answer is no request
}

void fuzz_dns(std::span<const u8> input) {
  const auto question = parse_dns(input);
  if (!question) return;
  CHECK(question->name.size() <= 400);
  CHECK(!parse_dns(build_dns(*question, 1, 10)));  // an answer is no question
}

void fuzz_segments(std::span<const u8> input) {
  Offload offload;
  if (input.size() < sizeof offload) return;
  std::memcpy(&offload, input.data(), sizeof offload);
  std::vector<u8> frame(input.begin() + sizeof offload, input.end());
  std::size_t given = 0;
  const bool cut = cut_segments(offload, frame, [&](std::span<u8> piece) {
    CHECK(piece.size() <= frame.size());
    given += piece.size();
  });
  CHECK(cut == (given > 0));
  static_cast<void>(finish_checksum(offload, frame));
}

}  // namespace pileus::packet
