#include "state/sqlite/reader_pool.h"

namespace pileus::state::sqlite {

Result<std::unique_ptr<ReaderPool>> ReaderPool::open(const std::filesystem::path& file, unsigned count) {
  auto pool = std::make_unique<ReaderPool>();
  for (unsigned i = 0; i < count; ++i) {
    std::unique_ptr<Reader> reader = TRY(Reader::open(file));
    pool->readers_.push_back(std::move(reader));
  }
  return pool;
}

Result<ReaderPool::Loan> ReaderPool::borrow(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!returned_.wait_for(lock, patience, [this] { return !readers_.empty(); })) {
    return Error(ErrorCode::kBusy, "too many read the state store at the same time; try again later");
  }
  std::unique_ptr<Reader> reader = std::move(readers_.back());
  readers_.pop_back();
  return Loan(*this, std::move(reader));
}

void ReaderPool::give_back(std::unique_ptr<Reader> reader) {
  const std::lock_guard lock(mutex_);
  readers_.push_back(std::move(reader));
  returned_.notify_one();
}

}  // namespace pileus::state::sqlite
