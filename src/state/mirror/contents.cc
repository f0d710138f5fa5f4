#include "state/mirror/contents.h"

#include <algorithm>

namespace pileus::state {
namespace {

constexpr std::size_t kMaxEvents = 1000;  // of one update, or all of one revision

std::size_t size_of(const Event& event) { return sizeof(Event) + event.entry.key.size() + event.entry.value.size(); }

}  // namespace

KeyValue Contents::entry_of(const Entries::value_type& entry, bool with_value) {
  const auto& [key, value] = entry;
  return {
      key,        with_value ? value.value : std::string(), value.create_revision, value.mod_revision, value.version,
      value.lease};
}

Contents::Entries::const_iterator Contents::end_of(const KeyRange& range) const {
  if (range.end.empty()) return entries_.end();
  return entries_.lower_bound(std::max(range.begin, range.end));
}

void Contents::load(Snapshot all) {
  entries_.clear();
  history_.clear();
  history_size_ = 0;
  for (KeyValue& entry : all.entries) {
    entries_.emplace_hint(
        entries_.end(), std::move(entry.key),
        Value{std::move(entry.value), entry.create_revision, entry.mod_revision, entry.version, entry.lease});
  }
  revision_ = all.revision;
  oldest_ = revision_ + 1;
}

void Contents::apply(Event event) {
  const KeyValue& entry = event.entry;
  if (event.kind == Event::Kind::kDelete) {
    entries_.erase(entry.key);
  } else {
    entries_.insert_or_assign(
        entry.key, Value{entry.value, entry.create_revision, entry.mod_revision, entry.version, entry.lease});
  }
  history_size_ += size_of(event);
  history_.push_back(std::move(event));
}

void Contents::apply(const WatchUpdate& update) {
  const Revision known = revision_;
  for (const Event& event : update.events) {
    if (event.entry.mod_revision > known) apply(event);
  }
  revision_ = std::max(known, update.revision);
  trim();
}

void Contents::apply(const std::vector<Operation>& branch, Revision revision) {
  for (const Operation& operation : branch) {
    if (const auto* put = std::get_if<Put>(&operation)) {
      KeyValue entry{put->key, put->value, revision, revision, 1, put->lease};
      if (const auto before = entries_.find(put->key); before != entries_.end()) {
        entry.create_revision = before->second.create_revision;
        entry.version = before->second.version + 1;
      }
      apply(Event{Event::Kind::kPut, std::move(entry)});
    } else if (const auto* erased = std::get_if<Delete>(&operation)) {
      const auto end = end_of(erased->range);
      for (auto at = entries_.lower_bound(erased->range.begin); at != end;) {
        Event event{Event::Kind::kDelete, {}};
        event.entry.key = at->first;
        event.entry.mod_revision = revision;
        ++at;  // the next line takes the one before
        apply(std::move(event));
      }
    }
  }
  revision_ = revision;
  trim();
}

// By whole revisions.
void Contents::trim() {
  while (history_size_ > max_history_ && history_.front().entry.mod_revision < revision_) {
    compact(history_.front().entry.mod_revision);
  }
}

void Contents::compact(Revision revision) {
  while (!history_.empty() && history_.front().entry.mod_revision <= revision) {
    history_size_ -= size_of(history_.front());
    history_.pop_front();
  }
  oldest_ = std::max(oldest_, revision + 1);
}

GetResult Contents::get(const Get& what) const {
  GetResult result;
  const auto end = end_of(what.range);
  for (auto at = entries_.lower_bound(what.range.begin); at != end; ++at) {
    ++result.count;
    if (what.limit != 0 && result.entries.size() == what.limit) {
      result.more = true;
      continue;
    }
    result.entries.push_back(entry_of(*at, !what.keys_only));
  }
  return result;
}

Contents::History::const_iterator Contents::history_from(Revision first) const {
  return std::ranges::lower_bound(history_, first, {}, [](const Event& event) { return event.entry.mod_revision; });
}

bool Contents::has_events(const KeyRange& range, Revision first) const {
  return std::any_of(history_from(first), history_.end(),
                     [&](const Event& event) { return range.contains(event.entry.key); });
}

WatchUpdate Contents::events(const KeyRange& range, Revision first) const {
  WatchUpdate update{{}, revision_};
  for (auto at = history_from(first); at != history_.end(); ++at) {
    if (!range.contains(at->entry.key)) continue;
    if (update.events.size() >= kMaxEvents && at->entry.mod_revision != update.events.back().entry.mod_revision) {
      update.revision = update.events.back().entry.mod_revision;
      break;
    }
    update.events.push_back(*at);
  }
  return update;
}

}  // namespace pileus::state
