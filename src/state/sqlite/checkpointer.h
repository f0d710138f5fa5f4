// Checkpointer: brings what SQLite's write-ahead log holds into the file itself, on a thread of its own. That takes tens
// of milliseconds each time, which commits would wait for.
//
// While the thread is at it the log grows on, and SQLite begins it anew only at a commit that finds nothing left to bring
// over. So when the log has reached its limit the writer does the rest itself, which is little by then.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "state/sqlite/database.h"

namespace pileus::state::sqlite {

class Checkpointer {
 public:
  // `limit`: pages of the log from which on the writer does it.
  static Result<std::unique_ptr<Checkpointer>> start(const std::filesystem::path& file, int limit);
  ~Checkpointer();

  // Is told of each commit on this connection, which must not outlive us.
  void attach(Database& writer);

 private:
  static constexpr int kEnough = 1000;  // pages: less is not worth an fsync

  Checkpointer(Database database, int limit) : database_(std::move(database)), limit_(limit) {}
  static int committed(void* self, sqlite3* writer, const char* name, int pages);
  void run();

  Database database_;
  const int limit_;
  std::mutex mutex_;  // of the two below
  std::condition_variable wake_;
  bool wanted_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace pileus::state::sqlite
