#include "state/sqlite/schema.h"

namespace pileus::state::sqlite {
namespace {

constexpr u64 kApplicationId = 0x50696C53;  // "PilS"
constexpr u64 kVersion = 1;

// STRICT: a column holds what it says, or the file is not ours.
constexpr const char* kSchema = R"(
BEGIN IMMEDIATE;
CREATE TABLE log(
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  value BLOB NOT NULL) STRICT;
CREATE INDEX log_by_key ON log(key, id);
CREATE TABLE current(key BLOB PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lease(id INTEGER PRIMARY KEY, ttl INTEGER NOT NULL) STRICT;
CREATE TABLE lease_key(lease INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY(lease, key)) STRICT, WITHOUT ROWID;
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('revision', 1), ('compacted', 0), ('swept', 0), ('lease', 0);
PRAGMA application_id = 0x50696C53;
PRAGMA user_version = 1;
COMMIT;
)";

Result<u64> ask_number(Database& database, const char* sql) {
  Statement statement = TRY(database.prepare(sql));
  const bool row = TRY(statement.step());
  const u64 number = row ? statement.number(0) : 0;
  statement.reset();
  return number;
}

}  // namespace

std::string_view upper_bound(const KeyRange& range) {
  static const std::string kAboveAllKeys(kMaxKeySize + 2, '\xFF');
  return range.end.empty() ? std::string_view(kAboveAllKeys) : std::string_view(range.end);
}

Result<Database> open_for_writing(const std::filesystem::path& file) {
  Database database = TRY(Database::open(file, false));
  // FULL: a commit returns when the log is on the disk.
  TRY(
      database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA cell_size_check = ON;"));
  const u64 tables = TRY(ask_number(database, "SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) TRY(database.execute(kSchema));
  const u64 application = TRY(ask_number(database, "PRAGMA application_id"));
  const u64 version = TRY(ask_number(database, "PRAGMA user_version"));
  if (application != kApplicationId) {
    return Error(ErrorCode::kCorrupt, file.string() + ": not a state store of Pileus; name another folder");
  }
  if (version != kVersion) {
    return Error(ErrorCode::kUnsupported, file.string() + ": version " + std::to_string(version) +
                                              " of the format, this program knows " + std::to_string(kVersion) +
                                              "; use the program that wrote it");
  }
  return database;
}

Result<Database> open_for_reading(const std::filesystem::path& file) {
  Database database = TRY(Database::open(file, true));
  TRY(database.execute("PRAGMA cache_size = -4096;"));
  return database;
}

}  // namespace pileus::state::sqlite
