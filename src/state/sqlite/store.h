// The state store of one machine: one SQLite file in a folder that one process has for itself.
//
// One thread writes. Transactions that wait are made durable together, with one fsync for all (group commit): the more
// wait, the cheaper each gets. Readers have connections of their own and never wait for the disk's fsync. Watches read
// the log of all changes, from where they are.
//
// SQLite's write-ahead log makes each commit atomic under kill -9 and loss of power. If the disk fails in the moment of
// making a commit durable, the store stops writing (kIO): a restart tells what is there.
#pragma once

#include <filesystem>
#include <memory>

#include "state/store.h"

namespace pileus::state::sqlite {

struct Options {
  std::filesystem::path folder;  // made if missing
  std::chrono::milliseconds patience{10000};  // of a caller that waits for its transaction
  unsigned readers = 4;  // connections that read at the same time
  int log_pages = 16000;  // of 4 KiB, from which on the writing thread itself empties SQLite's log into the file
};

// kBusy when another process has the folder; kPermission when it cannot be written; kCorrupt when it is damaged.
Result<std::unique_ptr<Store>> open(const Options& options);

}  // namespace pileus::state::sqlite
