#include "state/sqlite/reader.h"

#include <limits>

#include "state/sqlite/schema.h"

namespace pileus::state::sqlite {
namespace {

// Columns of every query for entries: id, key, create_revision, version, lease, value.
KeyValue entry_of(const Statement& row, bool with_value) {
  KeyValue entry;
  entry.key = row.blob(1);
  entry.create_revision = row.number(2);
  entry.mod_revision = revision_of(row.number(0));
  entry.version = row.number(3);
  entry.lease = LeaseId{row.number(4)};
  if (with_value) entry.value = row.blob(5);
  return entry;
}

u64 sql_limit(u64 limit) {
  constexpr u64 kMax = std::numeric_limits<i64>::max() - 1;
  // One more tells whether there is more.
  return limit == 0 || limit >= kMax ? kMax : limit + 1;
}

// Runs `select`, whose parameters are bound, and `count` where the limit leaves the number open.
Result<GetResult> collect(Statement& select, Statement& count, const Get& what) {
  GetResult result;
  ResetAfter reset(select);
  while (TRY(select.step())) {
    if (what.limit != 0 && result.entries.size() == what.limit) {
      result.more = true;
      break;
    }
    result.entries.push_back(entry_of(select, !what.keys_only));
  }
  result.count = result.entries.size();
  if (!result.more) return result;
  ResetAfter reset_count(count);
  if (TRY(count.step())) result.count = count.number(0);
  return result;
}

}  // namespace

Result<RangeReader> RangeReader::create(Database& database) {
  RangeReader reader;
  reader.select_ =
      TRY(database.prepare("SELECT l.id, l.key, l.create_revision, l.version, l.lease, l.value FROM current c "
                           "JOIN log l ON l.id = c.id WHERE c.key >= ?1 AND c.key < ?2 ORDER BY c.key LIMIT ?3"));
  reader.count_ = TRY(database.prepare("SELECT count(*) FROM current WHERE key >= ?1 AND key < ?2"));
  return reader;
}

Result<GetResult> RangeReader::get(const Get& what) {
  const std::string_view end = upper_bound(what.range);
  select_.bind(1, what.range.begin).bind(2, end).bind(3, sql_limit(what.limit));
  count_.bind(1, what.range.begin).bind(2, end);
  return collect(select_, count_, what);
}

Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& file) {
  Database database = TRY(open_for_reading(file));
  std::unique_ptr<Reader> reader(new Reader(std::move(database)));
  TRY(reader->prepare());
  return reader;
}

Result<> Reader::prepare() {
  present_ = TRY(RangeReader::create(database_));
  past_ =
      TRY(database_.prepare("SELECT l.id, l.key, l.create_revision, l.version, l.lease, l.value FROM "
                            "(SELECT max(id) AS id FROM log WHERE key >= ?1 AND key < ?2 AND id < ?4 GROUP BY key) m "
                            "JOIN log l ON l.id = m.id WHERE l.version > 0 ORDER BY l.key LIMIT ?3"));
  count_past_ =
      TRY(database_.prepare("SELECT count(*) FROM "
                            "(SELECT max(id) AS id FROM log WHERE key >= ?1 AND key < ?2 AND id < ?4 GROUP BY key) m "
                            "JOIN log l ON l.id = m.id WHERE l.version > 0"));
  events_ =
      TRY(database_.prepare("SELECT id, key, create_revision, version, lease, value FROM log "
                            "WHERE id >= ?1 AND key >= ?2 AND key < ?3 ORDER BY id"));
  counters_ =
      TRY(database_.prepare("SELECT (SELECT value FROM counter WHERE name = 'revision'), "
                            "(SELECT value FROM counter WHERE name = 'compacted')"));
  return {};
}

Result<Reader::Counters> Reader::counters() {
  ResetAfter reset(counters_);
  static_cast<void>(TRY(counters_.step()));
  return Counters{counters_.number(0), counters_.number(1)};
}

Result<Snapshot> Reader::get(const Get& what, Revision revision) {
  TRY(database_.execute("BEGIN"));
  Result<Snapshot> result = get_in_transaction(what, revision);
  Result<> end = database_.execute("COMMIT");
  if (result.ok() && !end.ok()) return std::move(end).error();
  return result;
}

Result<Snapshot> Reader::get_in_transaction(const Get& what, Revision revision) {
  const Counters now = TRY(counters());
  if (revision > now.revision) {
    return Error(ErrorCode::kInvalid, "revision " + std::to_string(revision) + " is yet to come: the store is at " +
                                          std::to_string(now.revision));
  }
  if (revision != 0 && revision < now.compacted) {
    return Error(ErrorCode::kGone, "revision " + std::to_string(revision) +
                                       " is compacted away: the oldest that can be read is " +
                                       std::to_string(now.compacted));
  }
  GetResult got = TRY(revision == 0 || revision == now.revision ? present_.get(what) : get_past(what, revision));
  return Snapshot{std::move(got.entries), got.count, got.more, now.revision};
}

Result<GetResult> Reader::get_past(const Get& what, Revision revision) {
  const std::string_view end = upper_bound(what.range);
  const u64 limit_id = first_id(revision + 1);
  past_.bind(1, what.range.begin).bind(2, end).bind(3, sql_limit(what.limit)).bind(4, limit_id);
  count_past_.bind(1, what.range.begin).bind(2, end).bind(4, limit_id);
  return collect(past_, count_past_, what);
}

Result<Events> Reader::events(const KeyRange& range, Revision first, std::size_t limit) {
  TRY(database_.execute("BEGIN"));
  Result<Events> result = events_in_transaction(range, first, limit);
  Result<> end = database_.execute("COMMIT");
  if (result.ok() && !end.ok()) return std::move(end).error();
  return result;
}

Result<Events> Reader::events_in_transaction(const KeyRange& range, Revision first, std::size_t limit) {
  const Counters now = TRY(counters());
  Events found{{}, now.revision, now.compacted};
  if (first <= now.compacted) return found;
  ResetAfter reset(events_);
  events_.bind(1, first_id(first)).bind(2, range.begin).bind(3, upper_bound(range));
  while (TRY(events_.step())) {
    Event event{Event::Kind::kPut, entry_of(events_, true)};
    if (event.entry.version == 0) event.kind = Event::Kind::kDelete;
    if (found.events.size() >= limit && event.entry.mod_revision != found.events.back().entry.mod_revision) {
      found.revision = found.events.back().entry.mod_revision;
      break;
    }
    found.events.push_back(std::move(event));
  }
  return found;
}

}  // namespace pileus::state::sqlite
