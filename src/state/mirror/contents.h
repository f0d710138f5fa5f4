// Contents: the keys of a store at one revision, and the latest events that led there.
//
// Invariants:
//   1. The entries are those of the store at revision(), no more and no less: events are applied in the order of
//      revisions, each revision as a whole.
//   2. The history holds every event from oldest() to revision().
// Threads: none inside.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string_view>

#include "state/store.h"

namespace pileus::state {

class Contents {
 public:
  explicit Contents(std::size_t history) : max_history_(history) {}

  Revision revision() const { return revision_; }
  Revision oldest() const { return oldest_; }

  // Everything anew; the history is empty then.
  void load(Snapshot all);
  // Whole revisions, as a watch tells them; those that are known already are left out.
  void apply(const WatchUpdate& update);
  // A branch of a transaction that made `revision`, which is the one after revision().
  void apply(const std::vector<Operation>& branch, Revision revision);
  // Forgets the history up to this revision.
  void compact(Revision revision);

  GetResult get(const Get& what) const;
  // Events of the range from `first` on, which is oldest() or later; some, of whole revisions, up to `revision`.
  WatchUpdate events(const KeyRange& range, Revision first) const;
  bool has_events(const KeyRange& range, Revision first) const;

 private:
  struct Value {
    std::string value;
    Revision create_revision = 0;
    Revision mod_revision = 0;
    u64 version = 0;
    LeaseId lease = LeaseId::kNone;
  };
  using Entries = std::map<std::string, Value, std::less<>>;

  static KeyValue entry_of(const Entries::value_type& entry, bool with_value);
  using History = std::deque<Event>;
  History::const_iterator history_from(Revision first) const;
  Entries::const_iterator end_of(const KeyRange& range) const;
  void apply(Event event);
  void trim();

  const std::size_t max_history_;
  Revision revision_ = 0;
  Revision oldest_ = 0;
  Entries entries_;
  History history_;
  std::size_t history_size_ = 0;  // bytes
};

}  // namespace pileus::state
