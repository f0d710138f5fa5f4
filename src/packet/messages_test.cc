// Addresses as text, ARP, DHCP and DNS.
#include <gtest/gtest.h>

#include "packet/dhcp.h"
#include "packet/dns.h"
#include "packet/ethernet.h"
#include "packet/fuzz.h"
#include "packet/ipv4.h"

namespace pileus::packet {
namespace {

constexpr MacAddress kMac = {2, 0, 0, 0, 0, 9};

TEST(Addresses, AsText) {
  EXPECT_EQ(parse_ipv4("172.31.0.254"), Ipv4Address{0xAC1F'00FE});
  EXPECT_EQ(ipv4_text(0xAC1F'00FE), "172.31.0.254");
  for (const char* wrong :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.4 ", "1..3.4", "a.b.c.d", "-1.2.3.4"}) {
    EXPECT_FALSE(parse_ipv4(wrong).has_value()) << wrong;
  }
  EXPECT_EQ(parse_mac("02:00:00:00:00:09"), kMac);
  EXPECT_EQ(mac_text(kMac), "02:00:00:00:00:09");
  for (const char* wrong : {"", "02:00:00:00:00", "02-00-00-00-00-09", "02:00:00:00:00:0g", "02:00:00:00:00:09:"}) {
    EXPECT_FALSE(parse_mac(wrong).has_value()) << wrong;
  }
  const auto cidr = parse_cidr("172.31.5.6/20");
  ASSERT_TRUE(cidr.has_value());
  EXPECT_EQ(cidr_text(*cidr), "172.31.0.0/20");
  EXPECT_TRUE(cidr->contains(0xAC1F'0FFF));
  EXPECT_FALSE(cidr->contains(0xAC1F'1000));
  EXPECT_TRUE(parse_cidr("0.0.0.0/0")->contains(0xFFFF'FFFF));
  for (const char* wrong : {"1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "/8"}) {
    EXPECT_FALSE(parse_cidr(wrong).has_value()) << wrong;
  }
}

TEST(Arp, ComesBackAsItWasBuilt) {
  const Arp arp{.operation = Arp::kReply, .sender_mac = kMac, .sender = 1, .target_mac = kBroadcast, .target = 2};
  std::vector<u8> frame = build_arp(kBroadcast, arp);
  const auto ethernet = EthernetView::parse(frame);
  ASSERT_TRUE(ethernet.has_value());
  EXPECT_EQ(ethernet->type(), kEtherArp);
  const auto read = parse_arp(ethernet->payload());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->sender_mac, kMac);
  EXPECT_EQ(read->sender, 1U);
  EXPECT_EQ(read->target, 2U);
  EXPECT_FALSE(parse_arp(ethernet->payload().first(27)).has_value());
}

// RFC 2131's fixed part, the cookie, and the options given.
std::vector<u8> dhcp_message(std::initializer_list<u8> options) {
  std::vector<u8> message(240);
  message[0] = 1;
  message[1] = 1;
  message[2] = 6;
  store32(message, 4, 0x1234'5678);
  std::copy(kMac.begin(), kMac.end(), message.begin() + 28);
  store32(message, 236, 0x6382'5363);
  for (const u8 byte : options) message.push_back(byte);  // insert() makes GCC 12 see accesses out of bounds
  return message;
}

TEST(Dhcp, ReadsARequest) {
  const auto request = parse_dhcp(dhcp_message({0, 53, 1, 3, 50, 4, 10, 0, 0, 7, 54, 4, 10, 0, 0, 1, 255}));
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->kind, DhcpRequest::Kind::kRequest);
  EXPECT_EQ(request->transaction, 0x1234'5678U);
  EXPECT_EQ(request->mac, kMac);
  EXPECT_EQ(request->requested, 0x0A00'0007U);
  EXPECT_EQ(request->server, 0x0A00'0001U);
}

TEST(Dhcp, RefusesWhatIsCutOffOrNoRequest) {
  EXPECT_FALSE(parse_dhcp(dhcp_message({53, 1, 2, 255})).has_value());   // an offer
  EXPECT_FALSE(parse_dhcp(dhcp_message({53, 9, 1})).has_value());        // longer than the message
  EXPECT_FALSE(parse_dhcp(dhcp_message({53})).has_value());
  EXPECT_FALSE(parse_dhcp(dhcp_message({255})).has_value());             // of no kind
  std::vector<u8> reply = dhcp_message({53, 1, 1, 255});
  reply[0] = 2;
  EXPECT_FALSE(parse_dhcp(reply).has_value());
}

TEST(Dns, ReadsAQuestionAndAnswersIt) {
  const std::vector<u8> query = {0xAB, 0xCD, 0x01, 0,   0,   1,   0,   0,   0,   0, 0, 0, 2, 'D', 'b',
                                 8,    'i',  'n',  't', 'e', 'r', 'n', 'a', 'l', 0, 0, 1, 0, 1};
  const auto question = parse_dns(query);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->name, "db.internal");
  EXPECT_EQ(question->type, DnsQuestion::kA);
  const std::vector<u8> answer = build_dns(*question, 0x0A00'0007, 10);
  EXPECT_EQ(load16(answer, 0), 0xABCD);
  EXPECT_EQ(load16(answer, 6), 1);  // one record
  EXPECT_EQ(load32(answer, answer.size() - 4), 0x0A00'0007U);
  EXPECT_EQ(load16(build_dns(*question, {}, 10), 6), 0);
  for (std::size_t size = 0; size < query.size(); ++size) {
    EXPECT_FALSE(parse_dns(std::span(query).first(size)).has_value()) << size;
  }
}

TEST(Ipv4, LengthsHaveToFit) {
  std::vector<u8> frame = build_udp({.source = 1, .destination = 2, .source_port = 3, .destination_port = 4}, {});
  const std::span<u8> packet = std::span(frame).subspan(kEthernetBytes);
  ASSERT_TRUE(Ipv4View::parse(packet).has_value());
  EXPECT_FALSE(Ipv4View::parse(packet.first(packet.size() - 1)).has_value());
  packet[0] = 0x4F;  // a header longer than the packet
  EXPECT_FALSE(Ipv4View::parse(packet).has_value());
  packet[0] = 0x44;
  EXPECT_FALSE(Ipv4View::parse(packet).has_value());
}

}  // namespace
}  // namespace pileus::packet
