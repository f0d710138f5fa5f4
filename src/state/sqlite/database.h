// Database: one connection to an SQLite file, used by one thread at a time; Statement: one prepared statement of it.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::state::sqlite {

class Statement {
 public:
  // Binds parameter `index`, from 1. The bytes must live until the statement has been stepped to its end or reset.
  Statement& bind(int index, u64 number);
  Statement& bind(int index, std::string_view blob);
  // Whether there is a row; after an error or the end the statement is ready to be bound and used again.
  Result<bool> step();
  // For statements that give no row.
  Result<> run();
  u64 number(int column) const;
  std::string blob(int column) const;
  void reset();

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement whatever happens, so that its read lock ends.
class ResetAfter {
 public:
  explicit ResetAfter(Statement& statement) : statement_(statement) {}
  ~ResetAfter() { statement_.reset(); }
  ResetAfter(const ResetAfter&) = delete;
  ResetAfter& operator=(const ResetAfter&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  // Opens the file, which is made if missing unless `read_only`.
  static Result<Database> open(const std::filesystem::path& path, bool read_only);

  Result<Statement> prepare(const char* sql);
  // Statements without parameters and rows.
  Result<> execute(const char* sql);
  // The last error was one of the disk at the moment of making data durable: whether they are is unknown.
  bool durability_unknown() const;
  sqlite3* handle() { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// What went wrong last on this connection, in a sentence that names its file.
Error last_error(sqlite3* database);

}  // namespace pileus::state::sqlite
