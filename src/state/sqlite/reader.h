// Reading: the present of a range (RangeReader, on any connection), and a connection of its own for the present, the
// past and events (Reader). Every read of a Reader sees one state: that after some commit.
#pragma once

#include <vector>

#include "state/sqlite/database.h"
#include "state/store.h"

namespace pileus::state::sqlite {

class RangeReader {
 public:
  static Result<RangeReader> create(Database& database);
  Result<GetResult> get(const Get& what);

 private:
  Statement select_;
  Statement count_;
};

struct Events {
  std::vector<Event> events;
  Revision revision = 0;      // all up to this one are there
  Revision compacted = 0;     // all up to this one may be missing
};

class Reader {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::filesystem::path& file);

  // As Store::get().
  Result<Snapshot> get(const Get& what, Revision revision);
  // Those from revision `first` on: about `limit` of them, but no revision in part. None if first <= compacted.
  Result<Events> events(const KeyRange& range, Revision first, std::size_t limit);

 private:
  struct Counters {
    Revision revision;
    Revision compacted;
  };
  explicit Reader(Database database) : database_(std::move(database)) {}
  Result<> prepare();
  Result<Counters> counters();
  Result<Snapshot> get_in_transaction(const Get& what, Revision revision);
  Result<GetResult> get_past(const Get& what, Revision revision);
  Result<Events> events_in_transaction(const KeyRange& range, Revision first, std::size_t limit);

  Database database_;
  RangeReader present_;
  Statement past_;
  Statement count_past_;
  Statement events_;
  Statement counters_;
};

}  // namespace pileus::state::sqlite
