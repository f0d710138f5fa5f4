// ReaderPool: a few connections that read, lent to one thread at a time.
#pragma once

#include <condition_variable>
#include <mutex>

#include "state/sqlite/reader.h"

namespace pileus::state::sqlite {

class ReaderPool {
 public:
  // Gives its reader back when destroyed.
  class Loan {
   public:
    Loan(ReaderPool& pool, std::unique_ptr<Reader> reader) : pool_(&pool), reader_(std::move(reader)) {}
    Loan(Loan&& other) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (reader_) pool_->give_back(std::move(reader_));
    }
    Reader* operator->() const { return reader_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Reader> reader_;
  };

  static Result<std::unique_ptr<ReaderPool>> open(const std::filesystem::path& file, unsigned count);
  // kBusy when all are lent for so long.
  Result<Loan> borrow(std::chrono::milliseconds patience);

 private:
  void give_back(std::unique_ptr<Reader> reader);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> readers_;  // guarded by mutex_
};

}  // namespace pileus::state::sqlite
