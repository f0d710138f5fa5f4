#include "vswitch/fuzz.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "vswitch/fabric.h"

namespace pileus::vswitch {
namespace {

// Two guests that let each other's web requests in, one more at another host.
constexpr std::string_view kConfig =
    R"({"networks":{"7":["172.31.0.0/16"]},"tunnel":null,"domain":"internal","mtu":1450,
"groups":{"g":{"members":["172.31.0.5"],"rules":[
{"egress":true,"protocol":-1,"from_port":-1,"to_port":-1,"cidr":"0.0.0.0/0","peer_group":""},
{"egress":false,"protocol":6,"from_port":80,"to_port":80,"cidr":"","peer_group":"g"}]}},
"ports":{
"a":{"network":7,"mac":"02:00:00:00:00:05","address":"172.31.0.5","subnet":"172.31.0.0/20","groups":["g"],
"check_source":true,"host_name":"a","mappings":[{"host_address":"127.0.0.1","host_port":2222,"guest_port":22}],
"metadata":{"enabled":true,"token_required":true,"hop_limit":1,"entries":{},"user_data":""}},
"b":{"network":7,"mac":"02:00:00:00:00:06","address":"172.31.0.6","subnet":"172.31.0.0/20","groups":["g"],
"check_source":false,"host_name":"b","mappings":[],
"metadata":{"enabled":true,"token_required":true,"hop_limit":1,"entries":{},"user_data":""}}},
"remotes":[{"network":7,"mac":"02:00:00:00:00:07","address":"172.31.0.7","host":"10.0.0.2:4789"}]})";
constexpr Endpoint kRemoteHost{.address = 0x0A00'0002, .port = 4789};

// What must hold of all that comes out.
class Watcher : public Fabric::Output {
 public:
  void to_port(const std::string& port, const packet::Offload&, std::span<const u8> frame) override {
    CHECK(port == "a" || port == "b");
    CHECK(frame.size() >= packet::kEthernetBytes);
  }
  void to_nat(const std::string&, std::span<const u8> frame) override { CHECK(frame.size() > packet::kEthernetBytes); }
  void to_tunnel(const Endpoint& host, u32 network, std::span<const u8>) override {
    CHECK(host == kRemoteHost && network == 7);
  }
};

}  // namespace

void fuzz_switch_config(std::span<const u8> input) {
  const Result<Config> config = parse_config({reinterpret_cast<const char*>(input.data()), input.size()});
  if (!config) return;
  const std::string once = encode(*config);
  const Result<Config> again = parse_config(once);
  CHECK(again.ok() && encode(*again) == once);
}

void fuzz_switch_frames(std::span<const u8> input) {
  Watcher watcher;
  Fabric fabric(watcher);
  Result<Config> config = parse_config(kConfig);
  CHECK(config.ok());
  fabric.apply(std::move(config).value());
  Time now = Time() + std::chrono::hours(1);
  constexpr std::size_t kHeader = 3 + sizeof(packet::Offload);
  while (input.size() > kHeader) {
    const u8 who = input[0];
    const std::size_t length = std::min<std::size_t>(packet::load16(input, 1), input.size() - kHeader);
    packet::Offload offload;
    std::memcpy(&offload, input.data() + 3, sizeof offload);
    std::vector<u8> frame(input.begin() + kHeader, input.begin() + static_cast<std::ptrdiff_t>(kHeader + length));
    input = input.subspan(kHeader + length);
    switch (who % 4) {
      case 0: fabric.from_port("a", offload, frame, now); break;
      case 1: fabric.from_port("b", offload, frame, now); break;
      case 2: fabric.from_nat("a", frame, now); break;
      default: fabric.from_tunnel(kRemoteHost, 7, frame, now);
    }
    now += std::chrono::milliseconds(who);
  }
}

}  // namespace pileus::vswitch
