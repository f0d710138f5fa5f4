#include "state/sqlite/writer.h"

#include "state/sqlite/schema.h"

namespace pileus::state::sqlite {
namespace {

constexpr u64 kSweepRows = 2000;  // looked at in one batch: some milliseconds

u64 number_of(LeaseId lease) { return static_cast<u64>(lease); }

bool compare_numbers(u64 a, Compare::Is is, u64 b) {
  switch (is) {
    case Compare::Is::kEqual: return a == b;
    case Compare::Is::kNotEqual: return a != b;
    case Compare::Is::kLess: return a < b;
    case Compare::Is::kGreater: return a > b;
  }
  return false;
}

bool compare_values(const std::string& a, Compare::Is is, const std::string& b) {
  const int order = a.compare(b);
  switch (is) {
    case Compare::Is::kEqual: return order == 0;
    case Compare::Is::kNotEqual: return order != 0;
    case Compare::Is::kLess: return order < 0;
    case Compare::Is::kGreater: return order > 0;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::open(const std::filesystem::path& file) {
  Database database = TRY(open_for_writing(file));
  std::unique_ptr<Writer> writer(new Writer(std::move(database)));
  TRY(writer->prepare());
  return writer;
}

Result<> Writer::prepare() {
  const auto prepare = [this](Statement& statement, const char* sql) -> Result<> {
    statement = TRY(database_.prepare(sql));
    return {};
  };
  range_ = TRY(RangeReader::create(database_));
  TRY(prepare(insert_log_, "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  TRY(prepare(set_current_, "INSERT OR REPLACE INTO current VALUES (?1, ?2)"));
  TRY(prepare(erase_current_, "DELETE FROM current WHERE key = ?1"));
  TRY(prepare(attach_, "INSERT OR IGNORE INTO lease_key VALUES (?1, ?2)"));
  TRY(prepare(detach_, "DELETE FROM lease_key WHERE lease = ?1 AND key = ?2"));
  TRY(prepare(keys_of_lease_, "SELECT key FROM lease_key WHERE lease = ?1 ORDER BY key"));
  TRY(prepare(insert_lease_, "INSERT INTO lease VALUES (?1, ?2)"));
  TRY(prepare(erase_lease_, "DELETE FROM lease WHERE id = ?1"));
  TRY(prepare(select_leases_, "SELECT id, ttl FROM lease"));
  TRY(prepare(select_counter_, "SELECT value FROM counter WHERE name = CAST(?1 AS TEXT)"));
  TRY(prepare(update_counter_, "UPDATE counter SET value = ?2 WHERE name = CAST(?1 AS TEXT)"));
  TRY(prepare(sweep_end_, "SELECT max(id) FROM (SELECT id FROM log WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)"));
  TRY(prepare(sweep_,
              "DELETE FROM log WHERE id > ?1 AND id <= ?2 AND (version = 0 OR EXISTS "
              "(SELECT 1 FROM log newer WHERE newer.key = log.key AND newer.id > log.id AND newer.id < ?3))"));
  revision_ = durable_revision_ = TRY(counter("revision"));
  return {};
}

Result<> Writer::begin() {
  failed_ = changing_ = false;
  return guard(database_.execute("BEGIN IMMEDIATE"));
}

Result<> Writer::commit() {
  Result<> result;
  if (revision_ != durable_revision_) result = guard(set_counter("revision", revision_));
  if (result.ok()) {
    result = guard(database_.execute("COMMIT"));
    if (!result.ok()) durability_unknown_ = database_.durability_unknown();
  }
  if (result.ok()) durable_revision_ = revision_;
  return result;
}

void Writer::rollback() {
  // Some errors have rolled back already; then this one says so, which is fine.
  static_cast<void>(database_.execute("ROLLBACK").ok());
  revision_ = durable_revision_;
  sweep_cursor_ = 0;
}

Result<u64> Writer::counter(std::string_view name) {
  ResetAfter reset(select_counter_);
  if (TRY(select_counter_.bind(1, name).step())) return select_counter_.number(0);
  return Error(ErrorCode::kCorrupt, "the state store lacks the counter " + std::string(name));
}

Result<> Writer::set_counter(std::string_view name, u64 value) {
  return update_counter_.bind(1, name).bind(2, value).run();
}

Result<TransactionResult> Writer::apply(const Transaction& transaction, const std::function<bool(LeaseId)>& has_lease) {
  changing_ = false;
  TransactionResult result;
  result.succeeded = true;
  for (const Compare& compare : transaction.conditions) {
    result.succeeded = TRY(guard(holds(compare)));
    if (!result.succeeded) break;
  }
  const auto& branch = result.succeeded ? transaction.then : transaction.otherwise;
  TRY(check_leases(branch, has_lease));
  for (const Operation& operation : branch) TRY(guard(run(operation, result.results)));
  result.revision = revision_;
  return result;
}

Result<> Writer::check_leases(const std::vector<Operation>& branch, const std::function<bool(LeaseId)>& has_lease) {
  for (const Operation& operation : branch) {
    const auto* put = std::get_if<Put>(&operation);
    if (put == nullptr || put->lease == LeaseId::kNone || has_lease(put->lease)) continue;
    return Error(ErrorCode::kNotFound, "lease " + std::to_string(number_of(put->lease)) +
                                           " does not exist or has expired; ask for a new one");
  }
  return {};
}

Result<std::optional<KeyValue>> Writer::find(const std::string& key) {
  GetResult found = TRY(range_.get(Get{KeyRange::key(key)}));
  if (found.entries.empty()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(found.entries.front()));
}

Result<bool> Writer::holds(const Compare& compare) {
  const std::optional<KeyValue> found = TRY(find(compare.key));
  const KeyValue entry = found.value_or(KeyValue{});
  switch (compare.field) {
    case Compare::Field::kCreateRevision: return compare_numbers(entry.create_revision, compare.is, compare.number);
    case Compare::Field::kModRevision: return compare_numbers(entry.mod_revision, compare.is, compare.number);
    case Compare::Field::kVersion: return compare_numbers(entry.version, compare.is, compare.number);
    case Compare::Field::kLease: return compare_numbers(number_of(entry.lease), compare.is, compare.number);
    case Compare::Field::kValue: return found.has_value() && compare_values(entry.value, compare.is, compare.value);
  }
  return false;
}

Result<> Writer::run(const Operation& operation, std::vector<OperationResult>& results) {
  if (const auto* get = std::get_if<Get>(&operation)) {
    GetResult result = TRY(range_.get(*get));
    results.emplace_back(std::move(result));
  } else if (const auto* erased = std::get_if<Delete>(&operation)) {
    const u64 count = TRY(erase(erased->range));
    results.emplace_back(DeleteResult{count});
  } else {
    TRY(put(std::get<Put>(operation)));
    results.emplace_back(PutResult{});
  }
  return {};
}

Result<u64> Writer::next_id() {
  if (!changing_) {
    changing_ = true;
    ++revision_;
    place_ = 0;
  }
  if (place_ == kMaxPlaces) {
    return Error(ErrorCode::kInvalid, "one transaction changes at most " + std::to_string(kMaxPlaces) + " keys");
  }
  return first_id(revision_) | place_++;
}

Result<> Writer::append(const KeyValue& entry) {
  const u64 id = TRY(next_id());
  insert_log_.bind(1, id).bind(2, entry.key).bind(3, entry.create_revision).bind(4, entry.version);
  TRY(insert_log_.bind(5, number_of(entry.lease)).bind(6, entry.value).run());
  if (entry.version == 0) return erase_current_.bind(1, entry.key).run();
  return set_current_.bind(1, entry.key).bind(2, id).run();
}

Result<> Writer::detach(LeaseId lease, const std::string& key) {
  if (lease == LeaseId::kNone) return {};
  return detach_.bind(1, number_of(lease)).bind(2, key).run();
}

Result<> Writer::put(const Put& put) {
  const std::optional<KeyValue> old = TRY(find(put.key));
  if (old && old->lease != put.lease) TRY(detach(old->lease, put.key));
  KeyValue entry{put.key, put.value, 0, 0, 1, put.lease};
  if (old) {
    entry.create_revision = old->create_revision;
    entry.version = old->version + 1;
  } else {
    entry.create_revision = changing_ ? revision_ : revision_ + 1;
  }
  TRY(append(entry));
  if (put.lease == LeaseId::kNone) return {};
  return attach_.bind(1, number_of(put.lease)).bind(2, put.key).run();
}

Result<u64> Writer::erase(const KeyRange& range) {
  const GetResult found = TRY(range_.get(Get{range, 0, true}));
  for (const KeyValue& entry : found.entries) {
    TRY(detach(entry.lease, entry.key));
    TRY(append(KeyValue{entry.key, {}, 0, 0, 0, LeaseId::kNone}));
  }
  return found.count;
}

Result<LeaseId> Writer::add_lease(std::chrono::seconds ttl) {
  const u64 id = TRY(guard(counter("lease"))) + 1;
  TRY(guard(set_counter("lease", id)));
  TRY(guard(insert_lease_.bind(1, id).bind(2, static_cast<u64>(ttl.count())).run()));
  return LeaseId{id};
}

Result<> Writer::remove_lease(LeaseId lease) {
  changing_ = false;
  std::vector<std::string> keys;
  {
    ResetAfter reset(keys_of_lease_);
    keys_of_lease_.bind(1, number_of(lease));
    while (TRY(guard(keys_of_lease_.step()))) keys.push_back(keys_of_lease_.blob(0));
  }
  for (const std::string& key : keys) static_cast<void>(TRY(guard(erase(KeyRange::key(key)))));
  return guard(erase_lease_.bind(1, number_of(lease)).run());
}

Result<std::map<LeaseId, std::chrono::seconds>> Writer::leases() {
  std::map<LeaseId, std::chrono::seconds> found;
  ResetAfter reset(select_leases_);
  while (TRY(select_leases_.step())) {
    found.emplace(LeaseId{select_leases_.number(0)}, std::chrono::seconds(select_leases_.number(1)));
  }
  return found;
}

Result<> Writer::compact(Revision revision) {
  const u64 compacted = TRY(guard(counter("compacted")));
  if (revision > revision_) {
    return Error(ErrorCode::kInvalid, "revision " + std::to_string(revision) + " is yet to come: the store is at " +
                                          std::to_string(revision_));
  }
  if (revision <= compacted) {
    return Error(ErrorCode::kGone, "revision " + std::to_string(revision) +
                                       " is compacted away already, as all up to " + std::to_string(compacted));
  }
  sweep_cursor_ = 0;
  return guard(set_counter("compacted", revision));
}

Result<bool> Writer::sweep() {
  // `swept` is the id up to which the log holds nothing more to remove for `compacted`; each compaction begins anew,
  // because what was the newest of its key below the last one may be no longer.
  const u64 compacted = TRY(guard(counter("compacted")));
  const u64 limit = first_id(compacted + 1);
  const u64 swept = TRY(guard(counter("swept")));
  if (compacted == 0 || swept >= limit) return false;
  u64 end = 0;
  {
    ResetAfter reset(sweep_end_);
    static_cast<void>(TRY(guard(sweep_end_.bind(1, sweep_cursor_).bind(2, limit).bind(3, kSweepRows).step())));
    end = sweep_end_.number(0);
  }
  if (end == 0) {
    sweep_cursor_ = 0;
    TRY(guard(set_counter("swept", limit)));
    return true;
  }
  TRY(guard(sweep_.bind(1, sweep_cursor_).bind(2, end).bind(3, limit).run()));
  sweep_cursor_ = end;
  return true;
}

}  // namespace pileus::state::sqlite
