#include "state/sqlite/database.h"

namespace pileus::state::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;

ErrorCode code_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_NOMEM: return ErrorCode::kExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN: return ErrorCode::kPermission;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::kBusy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::kCorrupt;
    case SQLITE_TOOBIG: return ErrorCode::kInvalid;
    default: return ErrorCode::kIo;
  }
}

}  // namespace

Error last_error(sqlite3* database) {
  const ErrorCode code = code_of(sqlite3_extended_errcode(database));
  const char* file = sqlite3_db_filename(database, nullptr);
  std::string message = std::string(file == nullptr ? "the state store" : file) + ": " + sqlite3_errmsg(database);
  if (code == ErrorCode::kExhausted) message += "; make space there and try again";
  if (code == ErrorCode::kPermission) message += "; its folder and files must be writable for this user";
  if (code == ErrorCode::kCorrupt) message += "; restore its folder from a backup";
  return {code, std::move(message)};
}

Statement& Statement::bind(int index, u64 number) {
  CHECK(sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(number)) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, std::string_view blob) {
  // A null pointer would bind NULL.
  const char* data = blob.empty() ? "" : blob.data();
  CHECK(sqlite3_bind_blob64(statement_.get(), index, data, blob.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Error error = last_error(sqlite3_db_handle(statement_.get()));
  sqlite3_reset(statement_.get());
  return error;
}

Result<> Statement::run() {
  const bool row = TRY(step());
  CHECK(!row);
  return {};
}

u64 Statement::number(int column) const { return static_cast<u64>(sqlite3_column_int64(statement_.get(), column)); }

std::string Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

Result<Database> Database::open(const std::filesystem::path& path, bool read_only) {
  sqlite3* handle = nullptr;
  const int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database;
  database.database_.reset(handle);
  if (handle == nullptr) return Error(ErrorCode::kExhausted, path.string() + ": no memory to open it");
  if (result != SQLITE_OK) {
    return Error(code_of(result), path.string() + ": " + sqlite3_errmsg(handle) +
                                      "; its folder and files must be writable for this user");
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database;
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    return last_error(database_.get());
  }
  Statement statement;
  statement.statement_.reset(handle);
  return statement;
}

Result<> Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return last_error(database_.get());
  return {};
}

bool Database::durability_unknown() const {
  const int code = sqlite3_extended_errcode(database_.get());
  return (code & 0xFF) == SQLITE_IOERR && code != SQLITE_IOERR_WRITE;
}

}  // namespace pileus::state::sqlite
