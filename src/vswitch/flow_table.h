// FlowTable: the conversations of one port, so that answers get through where only the question was allowed.
//
// Bounded: what has only been tried makes room for what is new, what has been answered does not.
#pragma once

#include <chrono>
#include <list>
#include <unordered_map>

#include "packet/ipv4.h"

namespace pileus::vswitch {

using Time = std::chrono::steady_clock::time_point;

// As seen from the guest.
struct Flow {
  packet::Ipv4Address local = 0;
  packet::Ipv4Address remote = 0;
  u16 local_port = 0;
  u16 remote_port = 0;
  u8 protocol = 0;
  bool operator==(const Flow&) const = default;
};

class FlowTable {
 public:
  static constexpr std::size_t kMost = 8192;

  // Whether it is known; then it has been seen now, too. `outbound`: from the guest.
  bool touch(const Flow& flow, bool outbound, u8 tcp_flags, Time now);
  // Whether it is known, and nothing else.
  bool contains(const Flow& flow, Time now) const;
  // False: the table is full of conversations that go on.
  bool add(const Flow& flow, bool outbound, u8 tcp_flags, Time now);
  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  // By how long they are remembered, each list with the oldest first.
  enum Age : u8 { kTried, kAnswered, kConnected, kAges };
  struct Hash {
    std::size_t operator()(const Flow& flow) const;
  };
  struct Entry {
    bool began_outbound = false;
    bool answered = false;
    bool closing = false;
    Age age = kTried;
    Time seen;
    std::list<Flow>::iterator place;
  };
  static Age age_of(const Flow& flow, const Entry& entry);
  static std::chrono::seconds patience(Age age);
  void note(const Flow& flow, Entry& entry, bool outbound, u8 tcp_flags, Time now);
  void forget_old(Time now);
  void remove(const Flow& flow);

  std::unordered_map<Flow, Entry, Hash> entries_;
  std::list<Flow> ages_[kAges];
};

}  // namespace pileus::vswitch
