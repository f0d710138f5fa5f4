// Access: whether packets may pass a port, by its security groups and by the conversations that go on there.
#pragma once

#include <array>
#include <unordered_set>
#include <vector>

#include "vswitch/config.h"
#include "vswitch/flow_table.h"

namespace pileus::vswitch {

// The rules of a port's groups together, their peers as sets of addresses.
class RuleSet {
 public:
  RuleSet() = default;
  RuleSet(const Config& config, const std::vector<std::string>& groups);

  // `remote`: the other end. `port` is the destination's.
  bool allows(bool egress, Ipv4Address remote, const packet::Transport& transport) const;
  // As allows(), for a part of a packet that does not say which port.
  bool allows_all_ports(bool egress, Ipv4Address remote, u8 protocol) const;

 private:
  struct Compiled {
    Rule rule;
    std::unordered_set<Ipv4Address> peers;  // when the rule names a group
  };
  static bool matches(const Compiled& each, bool egress, Ipv4Address remote, u8 protocol);

  std::vector<Compiled> rules_;
};

class Access {
 public:
  // New rules count at once, for conversations that go on as well.
  void set_rules(RuleSet rules);

  // Whether a packet passes. `outbound`: from the guest. `granted`: a new conversation may begin whatever the rules say.
  bool admits(const packet::Ipv4View& ip, bool outbound, bool granted, Time now);
  std::size_t flows() const { return flows_.size(); }

 private:
  // Later fragments have no ports: they go the way of their first.
  struct Fragments {
    Ipv4Address source = 0;
    Ipv4Address destination = 0;
    u16 id = 0;
    u8 protocol = 0;
    Time seen;
  };
  bool admits_fragment(const packet::Ipv4View& ip, bool outbound, Time now) const;
  bool admits_error(const packet::Ipv4View& ip, bool outbound, Time now) const;

  RuleSet rules_;
  FlowTable flows_;
  std::array<Fragments, 64> fragments_ = {};
  std::size_t next_fragment_ = 0;
};

}  // namespace pileus::vswitch
