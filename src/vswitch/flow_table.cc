#include "vswitch/flow_table.h"

namespace pileus::vswitch {
namespace {

using packet::Transport;
constexpr u64 kMixer = 0x9E37'79B9'7F4A'7C15;

}  // namespace

std::size_t FlowTable::Hash::operator()(const Flow& flow) const {
  u64 mixed = (u64{flow.remote} << 32U | flow.local) * kMixer;
  mixed ^= mixed >> 29U;
  mixed += u64{flow.remote_port} << 24U | u64{flow.local_port} << 8U | flow.protocol;
  mixed *= kMixer;
  return mixed ^ mixed >> 32U;
}

std::chrono::seconds FlowTable::patience(Age age) {
  switch (age) {
    case kTried: return std::chrono::seconds(60);
    case kAnswered: return std::chrono::minutes(3);
    default: return std::chrono::hours(24);
  }
}

FlowTable::Age FlowTable::age_of(const Flow& flow, const Entry& entry) {
  if (!entry.answered || entry.closing) return kTried;
  return flow.protocol == packet::kTcp ? kConnected : kAnswered;
}

bool FlowTable::contains(const Flow& flow, Time now) const {
  const auto found = entries_.find(flow);
  return found != entries_.end() && now - found->second.seen < patience(found->second.age);
}

bool FlowTable::touch(const Flow& flow, bool outbound, u8 tcp_flags, Time now) {
  const auto found = entries_.find(flow);
  if (found == entries_.end()) return false;
  if (now - found->second.seen >= patience(found->second.age)) {
    remove(flow);
    return false;
  }
  note(flow, found->second, outbound, tcp_flags, now);
  return true;
}

void FlowTable::note(const Flow& flow, Entry& entry, bool outbound, u8 tcp_flags, Time now) {
  if (outbound != entry.began_outbound) entry.answered = true;
  if ((tcp_flags & (Transport::kFin | Transport::kRst)) != 0) entry.closing = true;
  if ((tcp_flags & (Transport::kSyn | Transport::kAck)) == Transport::kSyn) entry.closing = false;  // begins anew
  entry.seen = now;
  const Age age = age_of(flow, entry);
  ages_[age].splice(ages_[age].end(), ages_[entry.age], entry.place);
  entry.age = age;
}

bool FlowTable::add(const Flow& flow, bool outbound, u8 tcp_flags, Time now) {
  forget_old(now);
  if (entries_.size() >= kMost) {
    if (ages_[kTried].empty()) return false;
    remove(Flow(ages_[kTried].front()));
  }
  Entry& entry = entries_[flow];
  entry.began_outbound = outbound;
  entry.place = ages_[kTried].insert(ages_[kTried].end(), flow);
  note(flow, entry, outbound, tcp_flags, now);
  return true;
}

void FlowTable::forget_old(Time now) {
  for (const Age age : {kTried, kAnswered, kConnected}) {
    std::list<Flow>& list = ages_[age];
    while (!list.empty() && now - entries_.at(list.front()).seen >= patience(age)) remove(Flow(list.front()));
  }
}

void FlowTable::remove(const Flow& flow) {
  const auto found = entries_.find(flow);
  ages_[found->second.age].erase(found->second.place);
  entries_.erase(found);
}

void FlowTable::clear() {
  entries_.clear();
  for (std::list<Flow>& list : ages_) list.clear();
}

}  // namespace pileus::vswitch
