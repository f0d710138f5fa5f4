#include "vswitch/fabric.h"

#include <gtest/gtest.h>

#include "packet/checksum.h"
#include "packet/dns.h"
#include "packet/ipv4.h"

namespace pileus::vswitch {
namespace {

using packet::EthernetView;
using packet::Ipv4View;
using packet::Offload;
using packet::Transport;
using Frame = std::vector<u8>;

constexpr u32 kNetwork = 7;
constexpr Ipv4Address kWeb = 0xAC1F'0005;     // 172.31.0.5
constexpr Ipv4Address kDb = 0xAC1F'0006;      // the same subnet
constexpr Ipv4Address kOther = 0xAC1F'1007;   // another subnet of the network
constexpr Ipv4Address kFar = 0xAC1F'0008;     // at another host
constexpr Ipv4Address kOutside = 0x0808'0808;
constexpr Endpoint kFarHost{.address = 0x0A00'0002, .port = 4789};

MacAddress mac_of(Ipv4Address address) { return {2, 0, 0, 0, 0, static_cast<u8>(address)}; }

struct Segment {
  Ipv4Address source = 0;
  Ipv4Address destination = 0;
  u16 source_port = 40'000;
  u16 destination_port = 80;
  u8 flags = Transport::kSyn;
  std::string data = {};
};

Frame tcp(const Segment& segment, const MacAddress& to) {
  Frame frame = packet::build_udp({.source_mac = mac_of(segment.source),
                                   .destination_mac = to,
                                   .source = segment.source,
                                   .destination = segment.destination},
                                  Frame(packet::kTcpBytes - packet::kUdpBytes + segment.data.size()));
  const std::span<u8> ip = std::span(frame).subspan(packet::kEthernetBytes);
  ip[9] = packet::kTcp;
  packet::store16(ip, 10, 0);
  packet::store16(ip, 10, packet::checksum_of(packet::ones_sum(ip.first(packet::kIpv4Bytes))));
  const std::span<u8> body = ip.subspan(packet::kIpv4Bytes);
  std::ranges::fill(body, u8{0});
  packet::store16(body, 0, segment.source_port);
  packet::store16(body, 2, segment.destination_port);
  body[12] = 5U << 4U;
  body[13] = segment.flags;
  std::ranges::copy(segment.data, body.begin() + packet::kTcpBytes);
  return frame;
}

class FabricTest : public ::testing::Test, private Fabric::Output {
 protected:
  struct Sent {
    std::string where;
    Offload offload;
    Frame frame;
  };
  FabricTest() : fabric_(*this) { fabric_.apply(config()); }

  // web lets everybody in at port 80, db only group web at 5432; both may call whom they like.
  static Config config() {
    Config config;
    config.networks[kNetwork] = {*packet::parse_cidr("172.31.0.0/16")};
    config.groups["web"] = {.rules = {rule(false, packet::kTcp, 80), rule(true, -1, -1)}, .members = {kWeb}};
    Rule from_web = rule(false, packet::kTcp, 5432);
    from_web.peer_group = "web";
    config.groups["db"] = {.rules = {from_web, rule(true, -1, -1)}, .members = {}};
    add(config, "web", kWeb, "172.31.0.0/20", "web");
    add(config, "db", kDb, "172.31.0.0/20", "db");
    add(config, "other", kOther, "172.31.16.0/20", "web");
    config.remotes = {{.network = kNetwork, .mac = mac_of(kFar), .address = kFar, .host = kFarHost}};
    return config;
  }
  static Rule rule(bool egress, int protocol, int port) {
    return {.egress = egress, .protocol = protocol, .from_port = port, .to_port = port, .cidr = {}, .peer_group = {}};
  }
  static void add(Config& config, const std::string& id, Ipv4Address address, const char* subnet, const char* group) {
    Port port;
    port.id = id;
    port.network = kNetwork;
    port.mac = mac_of(address);
    port.address = address;
    port.subnet = *packet::parse_cidr(subnet);
    port.groups = {group};
    port.host_name = id;
    port.mappings = {{.host_address = "127.77.0.1", .host_port = 2222, .guest_port = 22}};
    config.ports[id] = port;
  }

  std::vector<Sent> send(const std::string& port, Frame frame, Offload offload = {}) {
    sent_.clear();
    fabric_.from_port(port, offload, frame, now_);
    return sent_;
  }
  std::vector<Sent> from_nat(const std::string& port, Frame frame) {
    sent_.clear();
    fabric_.from_nat(port, frame, now_);
    return sent_;
  }
  std::vector<Sent> from_tunnel(const Endpoint& host, Frame frame) {
    sent_.clear();
    fabric_.from_tunnel(host, kNetwork, frame, now_);
    return sent_;
  }
  // From one guest to another, by whatever MAC address the guest would use.
  std::vector<Sent> call(const std::string& port, const Segment& segment) {
    return send(port, tcp(segment, mac_of(segment.destination)));
  }

  Fabric fabric_;
  Time now_ = Time() + std::chrono::hours(1);

 private:
  void to_port(const std::string& port, const Offload& offload, std::span<const u8> frame) override {
    sent_.push_back({port, offload, {frame.begin(), frame.end()}});
  }
  void to_nat(const std::string& port, std::span<const u8> frame) override {
    sent_.push_back({"nat " + port, {}, {frame.begin(), frame.end()}});
  }
  void to_tunnel(const Endpoint& host, u32 network, std::span<const u8> frame) override {
    EXPECT_EQ(host, kFarHost);
    EXPECT_EQ(network, kNetwork);
    sent_.push_back({"tunnel", {}, {frame.begin(), frame.end()}});
  }
  std::vector<Sent> sent_;
};

TEST_F(FabricTest, RulesDecideWhoMayCallWhom) {
  EXPECT_EQ(call("db", {.source = kDb, .destination = kWeb}).size(), 1U);
  EXPECT_TRUE(call("db", {.source = kDb, .destination = kWeb, .destination_port = 81}).empty());
  EXPECT_EQ(call("web", {.source = kWeb, .destination = kDb, .destination_port = 5432}).size(), 1U);
  EXPECT_TRUE(call("web", {.source = kWeb, .destination = kDb, .destination_port = 80}).empty());
  // `other` is in group web by its rules, but nobody has said that it is a member.
  EXPECT_TRUE(call("other", {.source = kOther, .destination = kDb, .destination_port = 5432}).empty());
  EXPECT_EQ(fabric_.counters("db").refused, 2U);
}

TEST_F(FabricTest, AnswersPassWhereTheQuestionDid) {
  const Segment answer{.source = kDb,
                       .destination = kWeb,
                       .source_port = 5432,
                       .destination_port = 40'000,
                       .flags = Transport::kSyn | Transport::kAck};
  EXPECT_TRUE(call("db", answer).empty());  // nobody asked: web lets only port 80 in
  EXPECT_EQ(call("web", {.source = kWeb, .destination = kDb, .destination_port = 5432}).size(), 1U);
  EXPECT_EQ(call("db", answer).size(), 1U);
  now_ += std::chrono::hours(25);
  EXPECT_TRUE(call("db", answer).empty());  // forgotten
}

TEST_F(FabricTest, NewRulesCountAtOnce) {
  const Segment segment{.source = kDb, .destination = kWeb};
  EXPECT_EQ(call("db", segment).size(), 1U);
  Config changed = config();
  changed.groups["web"].rules.erase(changed.groups["web"].rules.begin());
  fabric_.apply(changed);
  EXPECT_TRUE(call("db", segment).empty());
  Segment running = segment;
  running.flags = Transport::kAck;
  EXPECT_TRUE(call("db", running).empty());  // a conversation that went on
}

TEST_F(FabricTest, OtherSubnetsAreBehindTheRouter) {
  const std::vector<Sent> sent = send("other", tcp({.source = kOther, .destination = kWeb}, kRouterMac));
  ASSERT_EQ(sent.size(), 1U);
  Frame frame = sent[0].frame;
  const EthernetView ethernet = *EthernetView::parse(frame);
  EXPECT_EQ(ethernet.destination(), mac_of(kWeb));
  EXPECT_EQ(ethernet.source(), kRouterMac);
}

TEST_F(FabricTest, NobodySpeaksForOthers) {
  EXPECT_TRUE(send("db", tcp({.source = kWeb, .destination = kDb}, mac_of(kDb))).empty());  // MAC address of another
  Frame forged = tcp({.source = kWeb, .destination = kDb}, mac_of(kDb));
  EthernetView::parse(forged)->set_source(mac_of(kDb));
  EXPECT_TRUE(send("db", forged).empty());
  const packet::Arp arp{.sender_mac = mac_of(kDb), .sender = kWeb, .target_mac = {}, .target = kDb};
  EXPECT_TRUE(send("db", packet::build_arp(packet::kBroadcast, arp)).empty());
  EXPECT_EQ(fabric_.counters("db").spoofed, 3U);
  // A router may, if it was allowed to.
  Config changed = config();
  changed.ports["db"].check_source = false;
  fabric_.apply(changed);
  forged = tcp({.source = kOutside, .destination = kWeb}, mac_of(kWeb));
  EthernetView::parse(forged)->set_source(mac_of(kDb));
  EXPECT_EQ(send("db", forged).size(), 1U);
}

TEST_F(FabricTest, FurtherAddressesAreTheGuestsToo) {
  constexpr Ipv4Address kMore = 0xAC1F'0055;
  EXPECT_TRUE(call("db", {.source = kDb, .destination = kMore}).empty());
  Config changed = config();
  changed.ports["web"].more_addresses = {kMore};
  const auto parsed = parse_config(encode(changed));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  fabric_.apply(*parsed);
  const std::vector<Sent> sent = send("db", tcp({.source = kDb, .destination = kMore}, mac_of(kWeb)));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].where, "web");
  Frame from_it = tcp({.source = kMore, .destination = kOther}, kRouterMac);
  EthernetView::parse(from_it)->set_source(mac_of(kWeb));
  EXPECT_EQ(send("web", from_it).size(), 1U);
  changed.ports["db"].more_addresses = {kMore};
  EXPECT_FALSE(parse_config(encode(changed)).ok()) << "the address is there twice";
}

TEST_F(FabricTest, NetworksOfTheSameAddressesDoNotMeet) {
  Config changed = config();
  changed.networks[8] = {*packet::parse_cidr("172.31.0.0/16")};
  add(changed, "twin", kDb, "172.31.0.0/20", "web");
  changed.ports["twin"].network = 8;
  fabric_.apply(changed);
  EXPECT_TRUE(call("twin", {.source = kDb, .destination = kWeb}).empty());
  EXPECT_EQ(fabric_.counters("twin").unknown, 1U);
}

TEST_F(FabricTest, ArpIsAnsweredAndNotPassedOn) {
  const auto ask = [&](Ipv4Address target) {
    const packet::Arp arp{.sender_mac = mac_of(kWeb), .sender = kWeb, .target_mac = {}, .target = target};
    return send("web", packet::build_arp(packet::kBroadcast, arp));
  };
  const auto answer = [&](Ipv4Address target) {
    std::vector<Sent> sent = ask(target);
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent.at(0).where, "web");
    return packet::parse_arp(EthernetView::parse(sent[0].frame)->payload())->sender_mac;
  };
  EXPECT_EQ(answer(kDb), mac_of(kDb));
  EXPECT_EQ(answer(kFar), mac_of(kFar));
  EXPECT_EQ(answer(0xAC1F'0001), kRouterMac);
  EXPECT_EQ(answer(kMetadataServer), kRouterMac);
  EXPECT_TRUE(ask(0xAC1F'0099).empty());
  EXPECT_TRUE(ask(kWeb).empty());  // whether its own address is free
}

TEST_F(FabricTest, UnknownAddressesOfTheNetworkGoNowhereAndOthersOutside) {
  EXPECT_TRUE(send("web", tcp({.source = kWeb, .destination = 0xAC1F'0099}, kRouterMac)).empty());
  EXPECT_EQ(fabric_.counters("web").unknown, 1U);
  const std::vector<Sent> sent = send("web", tcp({.source = kWeb, .destination = kOutside}, kRouterMac));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].where, "nat web");
  // The answer comes back; what nobody asked for does not.
  const Segment answer{.source = kOutside,
                       .destination = kWeb,
                       .source_port = 80,
                       .destination_port = 40'000,
                       .flags = Transport::kSyn | Transport::kAck};
  EXPECT_EQ(from_nat("web", tcp(answer, mac_of(kWeb))).size(), 1U);
  Segment stranger = answer;
  stranger.destination_port = 22;
  EXPECT_TRUE(from_nat("web", tcp(stranger, mac_of(kWeb))).empty());
}

TEST_F(FabricTest, MappedPortsLeadIn) {
  const Segment login{.source = kHostBehind, .destination = kDb, .destination_port = 22};
  EXPECT_EQ(from_nat("db", tcp(login, mac_of(kDb))).size(), 1U);
  Segment elsewhere = login;
  elsewhere.destination_port = 23;
  EXPECT_TRUE(from_nat("db", tcp(elsewhere, mac_of(kDb))).empty());
  Segment not_its_own = login;
  not_its_own.destination = kWeb;
  EXPECT_TRUE(from_nat("db", tcp(not_its_own, mac_of(kWeb))).empty());
}

TEST_F(FabricTest, TunnelsAreForTheHostThatHasTheGuest) {
  EXPECT_EQ(call("web", {.source = kWeb, .destination = kFar}).at(0).where, "tunnel");
  const Segment segment{.source = kFar, .destination = kWeb};
  const std::vector<Sent> sent = from_tunnel(kFarHost, tcp(segment, mac_of(kWeb)));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].where, "web");
  EXPECT_EQ(sent[0].offload.flags, 0);  // the guest checks its checksum
  const Endpoint stranger{.address = 0x0A00'0003, .port = 4789};
  EXPECT_TRUE(from_tunnel(stranger, tcp(segment, mac_of(kWeb))).empty());
  EXPECT_TRUE(from_tunnel(kFarHost, tcp({.source = kDb, .destination = kWeb}, mac_of(kWeb))).empty());
  EXPECT_TRUE(from_tunnel(kFarHost, tcp({.source = kFar, .destination = kWeb, .destination_port = 81}, {})).empty());
}

TEST_F(FabricTest, OffloadsPassBetweenGuestsAndAreFinishedForOthers) {
  Frame large =
      tcp({.source = kWeb, .destination = kDb, .destination_port = 5432, .data = std::string(3000, 'x')}, mac_of(kDb));
  const Offload offload{.flags = Offload::kNeedsChecksum,
                        .gso_type = Offload::kTcp4,
                        .header_length = 54,
                        .gso_size = 1400,
                        .checksum_start = 34,
                        .checksum_offset = 16};
  const std::vector<Sent> local = send("web", large, offload);
  ASSERT_EQ(local.size(), 1U);
  EXPECT_EQ(local[0].offload.gso_size, 1400);
  large = tcp({.source = kWeb, .destination = kFar, .data = std::string(3000, 'x')}, mac_of(kFar));
  EXPECT_EQ(send("web", large, offload).size(), 3U);  // packets of the network between hosts
  large = tcp({.source = kWeb, .destination = kOutside, .data = std::string(3000, 'x')}, kRouterMac);
  EXPECT_EQ(send("web", large, offload).size(), 1U);  // libslirp takes it whole
}

TEST_F(FabricTest, DhcpGivesThePortItsAddress) {
  Frame message(240);
  message[0] = message[1] = 1;
  message[2] = 6;
  std::ranges::copy(mac_of(kWeb), message.begin() + 28);
  packet::store32(message, 236, 0x6382'5363);
  message.insert(message.end(), {53, 1, 1, 255});
  packet::Udp udp{.source_mac = mac_of(kWeb),
                  .destination_mac = packet::kBroadcast,
                  .source = 0,
                  .destination = 0xFFFF'FFFF,
                  .source_port = 68,
                  .destination_port = 67};
  std::vector<Sent> sent = send("web", packet::build_udp(udp, message));
  ASSERT_EQ(sent.size(), 1U);
  const std::span<const u8> offer = std::span(sent[0].frame).subspan(42);
  EXPECT_EQ(packet::load32(offer, 16), kWeb);
  EXPECT_EQ(offer[242], 2);  // an offer
  // Asked for an address that is not the port's own: no.
  message.resize(240);
  message.insert(message.end(), {53, 1, 3, 50, 4, 172, 31, 0, 6, 255});
  sent = send("web", packet::build_udp(udp, message));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].frame[42 + 242], 6);
}

TEST_F(FabricTest, NamesOfGuestsAreAnsweredHere) {
  const auto ask = [&](const std::string& host) {
    Frame query = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, static_cast<u8>(host.size())};
    query.insert(query.end(), host.begin(), host.end());
    const std::string rest("\x08internal\0\0\x01\0\x01", 14);
    query.insert(query.end(), rest.begin(), rest.end());
    return send("web", packet::build_udp({.source_mac = mac_of(kWeb),
                                          .destination_mac = kRouterMac,
                                          .source = kWeb,
                                          .destination = kNameServer,
                                          .source_port = 5353,
                                          .destination_port = 53},
                                         query));
  };
  const std::vector<Sent> sent = ask("ip-172-31-0-6");
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].where, "web");
  EXPECT_EQ(packet::load32(sent[0].frame, sent[0].frame.size() - 4), kDb);
  EXPECT_EQ(packet::load32(ask("db").at(0).frame, ask("db").at(0).frame.size() - 4), kDb);
  EXPECT_EQ(packet::load16(ask("ip-172-31-0-99").at(0).frame, 42 + 6), 0);  // no record
}

// Only that: what a guest reads with a token may go further.
TEST_F(FabricTest, TokensGoNoFurtherThanTheHopLimit) {
  const auto time_to_live = [&](const std::string& request) {
    EXPECT_EQ(send("web", tcp({.source = kWeb, .destination = kMetadataServer}, kRouterMac)).size(), 1U);
    send("web",
         tcp({.source = kWeb, .destination = kMetadataServer, .flags = Transport::kAck, .data = request}, kRouterMac));
    std::vector<Sent> sent = from_nat("web", tcp({.source = kMetadataServer,
                                                  .destination = kWeb,
                                                  .source_port = 80,
                                                  .destination_port = 40'000,
                                                  .flags = Transport::kAck},
                                                 mac_of(kWeb)));
    EXPECT_EQ(sent.size(), 1U);
    const auto ip = Ipv4View::parse(std::span(sent.at(0).frame).subspan(packet::kEthernetBytes));
    EXPECT_EQ(packet::checksum_of(packet::ones_sum(ip->bytes().first(packet::kIpv4Bytes))), 0);
    return ip->time_to_live();
  };
  EXPECT_EQ(time_to_live("PUT /latest/api/token HTTP/1.1\r\n"), 1);
  EXPECT_EQ(time_to_live("GET /latest/meta-data/ HTTP/1.1\r\n"), 64);
}

TEST_F(FabricTest, FragmentsGoTheWayOfTheirFirst) {
  Frame first = tcp({.source = kDb, .destination = kWeb}, mac_of(kWeb));
  packet::store16(first, packet::kEthernetBytes + 4, 77);
  packet::store16(first, packet::kEthernetBytes + 6, 0x2000);
  Frame later = first;
  packet::store16(later, packet::kEthernetBytes + 6, 0x0010);
  EXPECT_TRUE(send("db", later).empty());
  EXPECT_EQ(send("db", first).size(), 1U);
  EXPECT_EQ(send("db", later).size(), 1U);
}

TEST_F(FabricTest, ErrorsPassWhenTheyAreAboutAConversation) {
  const Frame question = tcp({.source = kWeb, .destination = kOutside}, kRouterMac);
  const auto error = [&] {
    Frame frame = tcp({.source = kOutside, .destination = kWeb, .data = std::string(16, 0)}, mac_of(kWeb));
    const std::span<u8> ip = std::span(frame).subspan(packet::kEthernetBytes);
    ip[9] = packet::kIcmp;
    const std::span<u8> icmp = ip.subspan(packet::kIpv4Bytes);
    std::ranges::fill(icmp, u8{0});
    icmp[0] = 3;
    std::ranges::copy(std::span(question).subspan(packet::kEthernetBytes, 28), icmp.begin() + 8);
    return from_nat("web", frame).size();
  };
  EXPECT_EQ(error(), 0U);
  EXPECT_EQ(send("web", question).size(), 1U);
  EXPECT_EQ(error(), 1U);
}

TEST_F(FabricTest, AFloodOfNewConversationsLeavesThoseThatGoOn) {
  EXPECT_EQ(call("db", {.source = kDb, .destination = kWeb}).size(), 1U);
  const Segment answer{.source = kWeb,
                       .destination = kDb,
                       .source_port = 80,
                       .destination_port = 40'000,
                       .flags = Transport::kSyn | Transport::kAck};
  EXPECT_EQ(call("web", answer).size(), 1U);
  for (u32 i = 0; i < 3 * FlowTable::kMost; ++i) {
    call("db", {.source = kDb, .destination = kOutside + i / 60'000, .source_port = static_cast<u16>(i % 60'000)});
  }
  EXPECT_EQ(call("web", answer).size(), 1U);
}

}  // namespace
}  // namespace pileus::vswitch
