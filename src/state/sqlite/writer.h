// Writer: all that changes the store's file. Belongs to the store's one writing thread.
//
// Work is done in batches: begin(), any number of changes, commit() (one fsync for all). A change whose conditions or
// arguments are wrong gives an error and changes nothing; after an error of the database itself (failed()) the batch
// can only be rolled back.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "state/sqlite/database.h"
#include "state/sqlite/reader.h"
#include "state/store.h"

namespace pileus::state::sqlite {

class Writer {
 public:
  static Result<std::unique_ptr<Writer>> open(const std::filesystem::path& file);

  Database& database() { return database_; }

  Result<> begin();
  Result<> commit();
  void rollback();
  // An error of the database, not of what was asked.
  bool failed() const { return failed_; }
  // After a failed commit(): it may be there after a restart all the same, so that nothing more may be written.
  bool durability_unknown() const { return durability_unknown_; }

  // Of the store, with what the batch has changed so far.
  Revision revision() const { return revision_; }

  // `has_lease` says whether a lease may be attached to.
  Result<TransactionResult> apply(const Transaction& transaction, const std::function<bool(LeaseId)>& has_lease);

  Result<LeaseId> add_lease(std::chrono::seconds ttl);
  // With its keys; fine when it is not there.
  Result<> remove_lease(LeaseId lease);
  Result<std::map<LeaseId, std::chrono::seconds>> leases();

  Result<> compact(Revision revision);
  // Removes some of what was compacted away; false when nothing is left to do.
  Result<bool> sweep();

 private:
  explicit Writer(Database database) : database_(std::move(database)) {}
  Result<> prepare();
  Result<u64> counter(std::string_view name);
  Result<> set_counter(std::string_view name, u64 value);
  Result<std::optional<KeyValue>> find(const std::string& key);
  Result<bool> holds(const Compare& compare);
  Result<> check_leases(const std::vector<Operation>& branch, const std::function<bool(LeaseId)>& has_lease);
  Result<> run(const Operation& operation, std::vector<OperationResult>& results);
  Result<> put(const Put& put);
  Result<u64> erase(const KeyRange& range);
  Result<> append(const KeyValue& entry);
  Result<> detach(LeaseId lease, const std::string& key);
  Result<u64> next_id();
  // Marks errors as the database's.
  template <typename T>
  Result<T> guard(Result<T> result) {
    if (!result.ok()) failed_ = true;
    return result;
  }

  Database database_;
  RangeReader range_;
  Statement insert_log_, set_current_, erase_current_, attach_, detach_, keys_of_lease_;
  Statement insert_lease_, erase_lease_, select_leases_, select_counter_, update_counter_;
  Statement sweep_end_, sweep_;

  Revision revision_ = 0;          // with the batch
  Revision durable_revision_ = 0;  // at the last commit
  bool changing_ = false;          // the transaction at work has its revision already
  u64 place_ = 0;                  // of its next row
  u64 sweep_cursor_ = 0;           // rows up to this id have been looked at
  bool failed_ = false;
  bool durability_unknown_ = false;
};

}  // namespace pileus::state::sqlite
