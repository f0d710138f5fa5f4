// Fabric: what a virtual switch does with each frame, without any input or output of its own.
//
// Every port's guest, its address and its neighbours are known from Config. So nothing is learned and nothing flooded: ARP
// is answered here, unicast goes to the one port that has the destination's address, and what claims to be from somebody
// else is dropped. Guests of one network reach each other; the world outside is behind the router's address, on a user
// network of the port's own (nat::UserNetwork) that Output::to_nat leads to.
//
// Used by one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "packet/dhcp.h"
#include "packet/ethernet.h"
#include "packet/offload.h"
#include "vswitch/access.h"
#include "vswitch/config.h"

namespace pileus::vswitch {

// Of the network on which each guest meets the host: libslirp's end, which no other guest can reach.
inline constexpr Ipv4Address kLinkLocal = 0xA9FE'0000;  // 169.254.0.0/16
inline constexpr Ipv4Address kMetadataServer = 0xA9FE'A9FE;  // 169.254.169.254
inline constexpr Ipv4Address kNameServer = 0xA9FE'A9FD;  // 169.254.169.253
inline constexpr Ipv4Address kHostBehind = 0xA9FE'A901;  // whom guests see behind connections from the host
inline constexpr MacAddress kRouterMac = {0x02, 0x50, 0x49, 0x4C, 0x00, 0x01};

// Of one port, since it was plugged in.
struct PortCounters {
  u64 from_guest = 0;  // frames taken
  u64 to_guest = 0;
  u64 bytes_from_guest = 0;
  u64 bytes_to_guest = 0;
  u64 spoofed = 0;  // not from the port's own address
  u64 refused = 0;  // by access rules, either way
  u64 malformed = 0;  // neither ARP nor IPv4, cut off, or larger than they say
  u64 unknown = 0;  // to an address of the network that nobody has
};

class Fabric {
 public:
  // Where frames go. The bytes are valid during the call.
  class Output {
   public:
    virtual ~Output() = default;
    virtual void to_port(const std::string& port, const packet::Offload& offload, std::span<const u8> frame) = 0;
    // With whole checksums, but perhaps larger than the network's packets.
    virtual void to_nat(const std::string& port, std::span<const u8> frame) = 0;
    // Frames no larger than the network's packets.
    virtual void to_tunnel(const Endpoint& host, u32 network, std::span<const u8> frame) = 0;
  };
  explicit Fabric(Output& output) : output_(output) {}

  // Takes the place of what was. Ports that stay keep their conversations unless their rules have changed.
  void apply(Config config);
  const Config& config() const { return config_; }
  PortCounters counters(const std::string& port) const;

  // Frames of any content; the bytes may be changed. Ports that are not there are ignored.
  void from_port(const std::string& port, packet::Offload offload, std::span<u8> frame, Time now);
  void from_nat(const std::string& port, std::span<u8> frame, Time now);
  void from_tunnel(const Endpoint& host, u32 network, std::span<u8> frame, Time now);

 private:
  struct Plug {
    Port port;
    Access access;
    PortCounters counters;
    std::string rules_of;  // what its rules were made from
    std::unordered_set<u16> token_connections;  // ports of the guest
  };
  // Who has an address: a port here, or a guest at another host.
  struct Target {
    Plug* plug = nullptr;
    const Remote* remote = nullptr;
    const MacAddress& mac() const { return plug != nullptr ? plug->port.mac : remote->mac; }
  };
  using Place = u64;  // network and address
  static Place place(u32 network, Ipv4Address address) { return u64{network} << 32U | address; }
  const Target* find(u32 network, Ipv4Address address) const;
  bool is_inside(u32 network, Ipv4Address address) const;

  void take_arp(Plug& plug, std::span<const u8> payload);
  void take_ipv4(Plug& plug, packet::Offload offload, std::span<u8> frame, Time now);
  bool serve_itself(Plug& plug, const packet::Ipv4View& ip);
  void answer_dhcp(Plug& plug, const packet::DhcpRequest& request);
  bool answer_dns(Plug& plug, const packet::Ipv4View& ip, u16 client_port);
  static void note_token_request(Plug& plug, const packet::Ipv4View& ip);
  static bool is_token_answer(const Plug& plug, const packet::Ipv4View& ip);
  void send_out(Plug& plug, packet::Offload offload, std::span<u8> frame);
  void send_tunnel(Plug& plug, const Remote& remote, packet::Offload offload, std::span<u8> frame);
  void deliver(Plug& plug, const packet::Offload& offload, std::span<const u8> frame);

  Output& output_;
  Config config_;
  std::map<std::string, std::unique_ptr<Plug>> plugs_;
  std::unordered_map<Place, Target> targets_;
};

}  // namespace pileus::vswitch
