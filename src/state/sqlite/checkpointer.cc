#include "state/sqlite/checkpointer.h"

namespace pileus::state::sqlite {

Result<std::unique_ptr<Checkpointer>> Checkpointer::start(const std::filesystem::path& file, int limit) {
  Database database = TRY(Database::open(file, false));
  TRY(database.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;"));
  std::unique_ptr<Checkpointer> made(new Checkpointer(std::move(database), limit));
  made->thread_ = std::thread([self = made.get()] { self->run(); });
  return made;
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Checkpointer::attach(Database& writer) { sqlite3_wal_hook(writer.handle(), &committed, this); }

// On the writer's thread, after a commit. Whether it works out is no matter of the commit: the log holds it.
int Checkpointer::committed(void* self, sqlite3* writer, const char* name, int pages) {
  auto* that = static_cast<Checkpointer*>(self);
  if (pages >= that->limit_) {
    sqlite3_wal_checkpoint_v2(writer, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  } else if (pages >= kEnough) {
    const std::lock_guard lock(that->mutex_);
    that->wanted_ = true;
    that->wake_.notify_one();
  }
  return SQLITE_OK;
}

void Checkpointer::run() {
  constexpr std::chrono::milliseconds kRest{500};  // between two, so that each finds pages that were changed again
  std::unique_lock lock(mutex_);
  while (!ended_) {
    wake_.wait(lock, [this] { return ended_ || wanted_; });
    if (ended_) return;
    wanted_ = false;
    lock.unlock();
    sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    lock.lock();
    wake_.wait_for(lock, kRest, [this] { return ended_; });
  }
}

}  // namespace pileus::state::sqlite
